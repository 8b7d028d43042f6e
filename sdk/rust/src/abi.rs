//! The ABI's calls, which `module!` exports from a guest.

use crate::array::{ArrowArray, ArrowSchema, Step};
use crate::column::Column;
use crate::describe::describe;
use crate::function::{Function, Input};
use crate::page::Page;
use crate::progress::Progress;
use crate::value::Layout;
use crate::{host, panic};
use std::alloc::Layout as Block;
use std::cell::RefCell;
use std::rc::Rc;

const OK: i32 = 0;
const MORE: i32 = 1;
const ERROR: i32 = 2;

/// A function that was opened.
struct Open {
    input: Input,
    progress: Progress,
    config: Rc<str>,
}

/// What there is of a guest.
#[derive(Default)]
struct Guest {
    functions: Vec<Function>,
    open: Vec<Option<Open>>,
    /// Steps that the host reads, and whose they are.
    lent: Vec<(usize, Box<Page>)>,
    error: String,
    description: String,
}

thread_local! { // of the only thread there is
    static GUEST: RefCell<Guest> = RefCell::new(Guest::default());
}

/// The functions that `module!` lists; it defines what calls this.
pub type List = fn() -> Vec<Function>;

fn with<R>(list: List, f: impl FnOnce(&mut Guest) -> R) -> R {
    GUEST.with(|g| {
        let mut g = g.borrow_mut();
        if g.functions.is_empty() {
            panic::show();
            g.functions = list();
            g.open = g.functions.iter().map(|_| None).collect();
        }
        f(&mut g)
    })
}

fn pack(text: &str) -> u64 {
    (text.as_ptr() as u64) << 32 | text.len() as u64
}

pub fn alloc(size: usize, align: usize) -> *mut u8 {
    match Block::from_size_align(size.max(1), align.max(1)) {
        Ok(block) => unsafe { std::alloc::alloc(block) },
        Err(_) => std::ptr::null_mut(),
    }
}

/// # Safety
/// The numbers are those of `alloc`, and the space has not been given back.
pub unsafe fn free(start: *mut u8, size: usize, align: usize) {
    if let (false, Ok(block)) = (start.is_null(), Block::from_size_align(size.max(1), align.max(1))) {
        std::alloc::dealloc(start, block);
    }
}

pub fn described(list: List, name: &str) -> u64 {
    with(list, |g| {
        g.description = describe(name, &g.functions);
        pack(&g.description)
    })
}

pub fn error(list: List) -> u64 {
    with(list, |g| pack(&g.error))
}

/// # Safety
/// The host's pointers are what docs/abi.md says.
pub unsafe fn open(list: List, index: usize, schema: *const ArrowSchema, config: *const u8, size: usize) -> i32 {
    with(list, |g| {
        let bytes = if size == 0 { &[] } else { std::slice::from_raw_parts(config, size) };
        match prepare(g, index, &*schema, bytes) {
            Ok(()) => OK,
            Err(text) => {
                g.error = text;
                ERROR
            }
        }
    })
}

unsafe fn prepare(g: &mut Guest, index: usize, schema: &ArrowSchema, config: &[u8]) -> Result<(), String> {
    let function = g.functions.get(index).ok_or_else(|| format!("there is no function {}", index))?;
    let columns = Column::learn(schema).children;
    if let Some(fields) = &function.input {
        if fields.len() != columns.len() {
            return Err(format!("expected {} columns, got {}", fields.len(), columns.len()));
        }
    }
    let layouts = match &function.output {
        Some(fields) => fields.iter().map(|f| f.layout.clone()).collect(),
        None => vec![Layout::Pass; columns.len()],
    };
    let mut progress = Progress::new(layouts);
    for (_, fields) in function.process.iter().flat_map(|declared| &declared.sides) {
        progress.sides.push(Progress::new(fields.iter().map(|f| f.layout.clone()).collect()));
    }
    g.open[index] = Some(Open {
        input: Input { columns, slots: std::ptr::null(), length: 0, times: None, domains: std::ptr::null() },
        progress,
        config: Rc::from(String::from_utf8_lossy(config).as_ref()),
    });
    Ok(())
}

/// # Safety
/// As for `open`.
pub unsafe fn call(list: List, index: usize, batch: *const ArrowArray, out: *mut Step) -> i32 {
    with(list, |g| {
        if let Some(Some(open)) = g.open.get_mut(index) {
            let batch = &*batch;
            let children = |i: usize| &**batch.children.add(i);
            for (i, c) in open.input.columns.iter_mut().enumerate() {
                c.view(children(i));
            }
            open.input.length = batch.length as usize;
            let behind = open.input.columns.len();
            open.input.domains = std::ptr::null();
            if g.functions[index].process.is_some() {
                open.input.timed(children(behind), children(behind + 1));
            } else if g.functions[index].state.is_some() && batch.length > 0 {
                let slots = children(behind);
                open.input.slots = (*slots.buffers.add(1) as *const i32).add(slots.offset as usize);
            }
            open.progress.begin(open.input.length);
        }
        proceed(g, index, &mut *out)
    })
}

impl Input {
    /// Takes the times and slots of rows or timers.
    unsafe fn timed(&mut self, times: &ArrowArray, slots: &ArrowArray) {
        let mut column = Column::single(8, &[], None);
        column.view(times);
        self.times = Some(column);
        if slots.length > 0 {
            self.slots = (*slots.buffers.add(1) as *const i32).add(slots.offset as usize);
        }
    }
}

/// # Safety
/// As for `open`.
pub unsafe fn timers(list: List, index: usize, batch: *const ArrowArray, out: *mut Step) -> i32 {
    with(list, |g| {
        if g.functions.get(index).map_or(true, |f| f.process.is_none()) {
            g.error = format!("function {} is no process function", index);
            return ERROR;
        }
        if let Some(Some(open)) = g.open.get_mut(index) {
            let batch = &*batch;
            open.input.length = batch.length as usize;
            open.input.timed(&**batch.children, &**batch.children.add(2));
            let domains = &**batch.children.add(1);
            open.input.domains = (*domains.buffers.add(1) as *const i8).add(domains.offset as usize);
            open.progress.begin(open.input.length);
        }
        proceed(g, index, &mut *out)
    })
}

/// # Safety
/// As for `open`.
pub unsafe fn next(list: List, index: usize, out: *mut Step) -> i32 {
    with(list, |g| proceed(g, index, &mut *out))
}

fn proceed(g: &mut Guest, index: usize, out: &mut Step) -> i32 {
    let open = match g.open.get_mut(index) {
        Some(Some(open)) => open,
        _ => {
            g.error = format!("function {} is not open", index);
            return ERROR;
        }
    };
    let function = &g.functions[index];
    host::set_config(open.config.clone());
    if let Err((row, text)) = open.progress.run(function, &open.input) {
        out.row = row;
        g.error = if text.is_empty() { "the function returned an error without a text".to_string() } else { text };
        return ERROR;
    }
    let (last, page) = open.progress.hand_out(function, &open.input, out);
    g.lent.push((index, page));
    if last {
        OK
    } else {
        MORE
    }
}

pub fn release(list: List, array: *const ArrowArray) {
    with(list, |g| {
        if let Some(i) = g.lent.iter().position(|(_, page)| std::ptr::eq(&page.array, array)) {
            let (index, page) = g.lent.swap_remove(i);
            if let Some(open) = &mut g.open[index] {
                match page.side {
                    0 => open.progress.idle.push(page),
                    n => open.progress.sides[n - 1].idle.push(page),
                }
            }
        }
    })
}
