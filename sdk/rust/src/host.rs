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
        pub fn list_add(state: usize, slot: usize, from: *const u8, size: usize) -> i32;
        pub fn list_get(state: usize, slot: usize, to: *mut u8, cap: usize) -> i64;
        pub fn map_get(state: usize, slot: usize, key: *const u8, key_size: usize, to: *mut u8, cap: usize) -> i64;
        pub fn map_put(state: usize, slot: usize, key: *const u8, key_size: usize, from: *const u8, size: usize) -> i32;
        pub fn map_remove(state: usize, slot: usize, key: *const u8, key_size: usize) -> i32;
        pub fn map_next(state: usize, slot: usize, key: *const u8, key_size: usize, to: *mut u8, cap: usize) -> i64;
        pub fn timer_set(slot: usize, domain: i32, time: i64);
        pub fn timer_delete(slot: usize, domain: i32, time: i64);
        pub fn watermark() -> i64;
        pub fn now() -> i64;
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
    pub unsafe fn list_add(_: usize, _: usize, _: *const u8, _: usize) -> i32 {
        0
    }
    pub unsafe fn list_get(_: usize, _: usize, _: *mut u8, _: usize) -> i64 {
        -1
    }
    pub unsafe fn map_get(_: usize, _: usize, _: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        -1
    }
    pub unsafe fn map_put(_: usize, _: usize, _: *const u8, _: usize, _: *const u8, _: usize) -> i32 {
        0
    }
    pub unsafe fn map_remove(_: usize, _: usize, _: *const u8, _: usize) -> i32 {
        0
    }
    pub unsafe fn map_next(_: usize, _: usize, _: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        0
    }
    pub unsafe fn timer_set(_: usize, _: i32, _: i64) {}
    pub unsafe fn timer_delete(_: usize, _: i32, _: i64) {}
    pub unsafe fn watermark() -> i64 {
        i64::MIN
    }
    pub unsafe fn now() -> i64 {
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
    fetch(|to, cap| unsafe { import::state_get(state, slot, to, cap) })
}

pub(crate) fn list_get(state: usize, slot: usize) -> Option<Vec<u8>> {
    fetch(|to, cap| unsafe { import::list_get(state, slot, to, cap) })
}

pub(crate) fn map_get(state: usize, slot: usize, key: &[u8]) -> Option<Vec<u8>> {
    fetch(|to, cap| unsafe { import::map_get(state, slot, key.as_ptr(), key.len(), to, cap) })
}

pub(crate) fn list_add(state: usize, slot: usize, value: &[u8]) -> bool {
    unsafe { import::list_add(state, slot, value.as_ptr(), value.len()) == 0 }
}

pub(crate) fn map_put(state: usize, slot: usize, key: &[u8], value: &[u8]) -> bool {
    unsafe { import::map_put(state, slot, key.as_ptr(), key.len(), value.as_ptr(), value.len()) == 0 }
}

pub(crate) fn map_remove(state: usize, slot: usize, key: &[u8]) {
    unsafe { import::map_remove(state, slot, key.as_ptr(), key.len()) };
}

/// Some entries behind a key, or the first ones: of each the lengths of its key and value, and these. None left: no bytes.
pub(crate) fn map_next(state: usize, slot: usize, last: Option<&[u8]>) -> Vec<u8> {
    let (key, size) = last.map_or((std::ptr::null(), usize::MAX), |k| (k.as_ptr(), k.len()));
    let mut page = vec![0; 4096];
    loop {
        let written = unsafe { import::map_next(state, slot, key, size, page.as_mut_ptr(), page.len()) };
        if written >= 0 {
            page.truncate(written as usize);
            return page;
        }
        page.resize(written.unsigned_abs() as usize, 0);
    }
}

pub(crate) fn timer_set(slot: usize, domain: i32, ms: i64) {
    unsafe { import::timer_set(slot, domain, ms) }
}

pub(crate) fn timer_delete(slot: usize, domain: i32, ms: i64) {
    unsafe { import::timer_delete(slot, domain, ms) }
}

pub(crate) fn watermark() -> i64 {
    unsafe { import::watermark() }
}

pub(crate) fn now() -> i64 {
    unsafe { import::now() }
}

/// A copy of what get writes if there is room for it; get returns its length, or -1 for none.
fn fetch(get: impl Fn(*mut u8, usize) -> i64) -> Option<Vec<u8>> {
    let mut value = vec![0; 64];
    loop {
        let size = get(value.as_mut_ptr(), value.len());
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
