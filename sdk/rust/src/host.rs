//! What the host offers a function.

use std::cell::RefCell;
use std::rc::Rc;

#[cfg(target_arch = "wasm32")]
mod import {
    #[link(wasm_import_module = "wasmill")]
    extern "C" {
        pub fn log(level: i32, text: *const u8, size: usize);
        pub fn metric(name: *const u8, size: usize, value: f64);
        pub fn deadline() -> i64;
        pub fn state_get(state: usize, slot: usize, to: *mut u8, cap: usize) -> i64;
        pub fn state_put(state: usize, slot: usize, from: *const u8, size: usize) -> i32;
        pub fn state_delete(state: usize, slot: usize) -> i32;
    }
}

/// Without a host, as in `cargo test` of a function: nothing is logged or stored, and there is time.
#[cfg(not(target_arch = "wasm32"))]
mod import {
    pub unsafe fn log(_: i32, _: *const u8, _: usize) {}
    pub unsafe fn metric(_: *const u8, _: usize, _: f64) {}
    pub unsafe fn deadline() -> i64 {
        i64::MAX
    }
    pub unsafe fn state_get(_: usize, _: usize, _: *mut u8, _: usize) -> i64 {
        -1
    }
    pub unsafe fn state_put(_: usize, _: usize, _: *const u8, _: usize) -> i32 {
        0
    }
    pub unsafe fn state_delete(_: usize, _: usize) -> i32 {
        0
    }
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug = -4,
    Info = 0,
    Warn = 4,
    Error = 8,
}

/// Writes a line to the job's log.
pub fn log(level: Level, line: &str) {
    unsafe { import::log(level as i32, line.as_ptr(), line.len()) }
}

/// Adds to a counter of the job's. A name has 1 to 128 bytes.
pub fn metric(name: &str, value: f64) {
    unsafe { import::metric(name.as_ptr(), name.len(), value) }
}

/// How much time is left of this call; None when it is over.
pub fn deadline() -> Option<std::time::Duration> {
    let left = unsafe { import::deadline() };
    (left >= 0).then(|| std::time::Duration::from_nanos(left as u64))
}

thread_local! {
    static CONFIG: RefCell<Rc<str>> = RefCell::new(Rc::from(""));
}

/// The pipeline's configuration of the function at work, as JSON; empty for none.
pub fn config() -> Rc<str> {
    CONFIG.with(|c| c.borrow().clone())
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn set_config(text: Rc<str>) {
    CONFIG.with(|c| *c.borrow_mut() = text);
}

pub(crate) fn state_get(state: usize, slot: usize) -> Option<Vec<u8>> {
    let mut value = vec![0; 64];
    loop {
        let size = unsafe { import::state_get(state, slot, value.as_mut_ptr(), value.len()) };
        if size < 0 {
            return None;
        }
        let fits = size as usize <= value.len();
        value.resize(size as usize, 0);
        if fits {
            return Some(value);
        }
    }
}

pub(crate) fn state_put(state: usize, slot: usize, value: &[u8]) -> bool {
    unsafe { import::state_put(state, slot, value.as_ptr(), value.len()) == 0 }
}

pub(crate) fn state_delete(state: usize, slot: usize) {
    unsafe { import::state_delete(state, slot) };
}
