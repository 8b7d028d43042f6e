use crate::array::ArrowArray;
use crate::page::STEP_BYTES;
use crate::value::Layout;
use std::alloc::{alloc_zeroed, dealloc, Layout as Block};
use std::ptr;

/// Memory at an address divisible by 64.
struct Buffer {
    start: *mut u8,
    size: usize,
}

impl Buffer {
    const fn new() -> Buffer {
        Buffer { start: ptr::null_mut(), size: 0 }
    }

    /// Makes room for `size` bytes in all, of which `keep` are kept and the others are zero.
    fn grow(&mut self, size: usize, keep: usize) {
        let block = Block::from_size_align(size, 64).expect("a column is too large");
        let start = unsafe { alloc_zeroed(block) };
        if start.is_null() {
            panic!("out of memory: {} bytes for a column", size);
        }
        unsafe { ptr::copy_nonoverlapping(self.start, start, keep.min(self.size)) };
        *self = Buffer { start, size };
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !self.start.is_null() {
            unsafe { dealloc(self.start, Block::from_size_align_unchecked(self.size, 64)) };
        }
    }
}

/// Copies bytes, which are often a few: then without a call.
#[inline]
unsafe fn copy(from: &[u8], to: *mut u8) {
    let (start, n) = (from.as_ptr(), from.len());
    match n {
        0 => {}
        1..=3 => {
            *to = *start;
            *to.add(n / 2) = *start.add(n / 2);
            *to.add(n - 1) = *start.add(n - 1);
        }
        4..=7 => {
            let last = (start.add(n - 4) as *const u32).read_unaligned();
            (to as *mut u32).write_unaligned((start as *const u32).read_unaligned());
            (to.add(n - 4) as *mut u32).write_unaligned(last);
        }
        8..=16 => {
            let last = (start.add(n - 8) as *const u64).read_unaligned();
            (to as *mut u64).write_unaligned((start as *const u64).read_unaligned());
            (to.add(n - 8) as *mut u64).write_unaligned(last);
        }
        _ => ptr::copy_nonoverlapping(start, to, n),
    }
}

/// An output column under construction. Its memory is reused from one step to the next.
pub struct Output {
    layout: Layout,
    values: Buffer, // values, bits or offsets
    data: Buffer,   // the bytes of text
    used: usize,    // of data
    validity: Buffer,
    nulls: usize,
    cap: usize, // rows that there is room for
    /// Rows written; kept by those that write to a column of items.
    pub(crate) rows: usize,
    pub(crate) children: Vec<Output>,
    array: ArrowArray,
    buffers: [*const u8; 3],
    pointers: Vec<*const ArrowArray>,
}

impl Output {
    pub(crate) fn new(layout: &Layout) -> Output {
        let children: Vec<Output> = match layout {
            Layout::List(item) => vec![Output::new(item)],
            Layout::Struct(parts) => parts.iter().map(Output::new).collect(),
            _ => Vec::new(),
        };
        Output {
            layout: layout.clone(),
            values: Buffer::new(),
            data: Buffer::new(),
            used: 0,
            validity: Buffer::new(),
            nulls: 0,
            cap: 0,
            rows: 0,
            children,
            array: ArrowArray::EMPTY,
            buffers: [ptr::null(); 3],
            pointers: Vec::new(),
        }
    }

    /// Empties the column and keeps its memory.
    pub(crate) fn reset(&mut self) {
        self.used = 0;
        self.nulls = 0;
        self.rows = 0;
        self.children.iter_mut().for_each(Output::reset);
    }

    #[inline]
    pub(crate) fn values(&mut self) -> *mut u8 {
        self.values.start
    }

    pub(crate) fn nulls(&self) -> usize {
        self.nulls
    }

    /// Makes room for so many rows in all.
    pub(crate) fn reserve(&mut self, rows: usize) {
        if rows <= self.cap && !self.values.start.is_null() {
            return;
        }
        let cap = (rows.max(64) + 63) & !63;
        let size = match &self.layout {
            Layout::Fixed(width) => cap * width,
            Layout::Bits => cap / 8,
            Layout::Text { wide: true } => (cap + 1) * 8,
            Layout::Text { wide: false } | Layout::List(_) => (cap + 1) * 4,
            Layout::Struct(_) | Layout::Pass => 1, // so that it is seen to have been reserved
        };
        self.values.grow(size.max(1), self.values.size);
        if self.nulls > 0 {
            self.grow_validity(cap, self.cap / 8);
        }
        self.cap = cap;
        if let Layout::Struct(_) = self.layout {
            self.children.iter_mut().for_each(|c| c.reserve(cap));
        }
    }

    fn grow_validity(&mut self, rows: usize, keep: usize) {
        if self.validity.size < rows / 8 {
            self.validity.grow(rows / 8, keep);
        }
        unsafe { ptr::write_bytes(self.validity.start.add(keep), 0xff, rows / 8 - keep) };
    }

    /// Takes the value of a row away.
    #[inline]
    pub(crate) fn set_null(&mut self, row: usize) {
        assert!(row < self.cap);
        if self.nulls == 0 {
            self.grow_validity(self.cap, 0);
        }
        let byte = unsafe { &mut *self.validity.start.add(row >> 3) };
        self.nulls += (*byte >> (row & 7) & 1) as usize;
        *byte &= !(1 << (row & 7));
    }

    #[inline]
    pub(crate) unsafe fn put_bytes(&mut self, row: usize, bytes: &[u8]) {
        let used = self.used + bytes.len();
        if used > self.data.size {
            // A step's text is bounded, and so is the space for it.
            self.data.grow((used * 2).min(STEP_BYTES).max(used).max(1024), self.used);
        }
        copy(bytes, self.data.start.add(self.used));
        self.used = used;
        self.put_offset(row + 1, used);
    }

    #[inline]
    unsafe fn put_offset(&mut self, at: usize, offset: usize) {
        if matches!(self.layout, Layout::Text { wide: true }) {
            *(self.values.start as *mut i64).add(at) = offset as i64;
        } else {
            *(self.values.start as *mut i32).add(at) = offset as i32;
        }
    }

    /// The column of a list's items, with room for so many more.
    pub(crate) fn begin_items(&mut self, more: usize) -> &mut Output {
        let items = &mut self.children[0];
        if items.rows + more > items.cap {
            items.reserve((items.rows + more) * 2);
        }
        items
    }

    pub(crate) unsafe fn end_items(&mut self, row: usize) {
        let rows = self.children[0].rows;
        self.put_offset(row + 1, rows);
    }

    /// The bytes of a value that was written alone, for state.
    pub(crate) fn single(&self) -> &[u8] {
        let (start, size) = match self.layout {
            Layout::Fixed(width) => (self.values.start, width),
            Layout::Bits => (self.values.start, 1),
            _ => (self.data.start, self.used),
        };
        if size == 0 {
            &[]
        } else {
            unsafe { std::slice::from_raw_parts(start, size) }
        }
    }

    /// Fills the Arrow structure in. The output must stay where it is for as long as the host reads it.
    pub(crate) fn finish(&mut self, rows: usize) -> *const ArrowArray {
        let validity = if self.nulls > 0 { self.validity.start as *const u8 } else { ptr::null() };
        self.buffers = [validity, self.values.start, self.data.start];
        let n_buffers = match self.layout {
            Layout::Struct(_) => 1,
            Layout::Text { .. } => 3,
            _ => 2,
        };
        let list = matches!(self.layout, Layout::List(_));
        let pointers = self.children.iter_mut().map(|c| if list { c.finish(c.rows) } else { c.finish(rows) });
        self.pointers = pointers.collect();
        self.array = ArrowArray {
            length: rows as i64,
            null_count: self.nulls as i64,
            n_buffers,
            n_children: self.pointers.len() as i64,
            buffers: self.buffers.as_ptr(),
            children: self.pointers.as_ptr(),
            ..ArrowArray::EMPTY
        };
        &self.array
    }
}
