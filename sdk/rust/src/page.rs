use crate::array::ArrowArray;
use crate::column::Column;
use crate::output::Output;
use crate::value::{Field, Layout};
use std::ptr;

/// A step of a result ends at this many rows, or at the first row that takes it past this many bytes of text; the ABI allows 65,536 rows
/// and 64 MiB.
pub(crate) const STEP_ROWS: usize = 65_535;
pub(crate) const STEP_BYTES: usize = 32 << 20;

/// A step that is being filled, that waits for the host, or that the host reads.
pub(crate) struct Page {
    pub array: ArrowArray,
    pub outputs: Vec<Output>,
    pub origins: Vec<i32>,
    /// The batch's row that row 0 comes from, where rows correspond one to one.
    pub first: usize,
    pub rows: usize,
    pub bytes: usize,
    pub cap: usize,
    /// The side output that it belongs to, counted from 1.
    pub side: usize,
    passed: Vec<ArrowArray>,
    children: Vec<*const ArrowArray>,
}

static NONE: Pointer = Pointer(ptr::null());

/// The buffer list of a struct without nulls.
struct Pointer(*const u8);
unsafe impl Sync for Pointer {}

impl Page {
    pub fn new(layouts: &[Layout]) -> Page {
        Page {
            array: ArrowArray::EMPTY,
            outputs: layouts.iter().map(Output::new).collect(),
            origins: Vec::new(),
            first: 0,
            rows: 0,
            bytes: 0,
            cap: 0,
            side: 0,
            passed: vec![ArrowArray::EMPTY; layouts.len()],
            children: vec![ptr::null(); layouts.len()],
        }
    }

    /// Empties the page and keeps its memory.
    pub fn reset(&mut self, first: usize, rows: usize) {
        self.outputs.iter_mut().for_each(Output::reset);
        self.origins.clear();
        self.first = first;
        self.rows = 0;
        self.bytes = 0;
        self.reserve(rows);
    }

    pub fn reserve(&mut self, rows: usize) {
        let rows = rows.min(STEP_ROWS);
        self.outputs.iter_mut().for_each(|o| o.reserve(rows));
        self.cap = self.cap.max(rows);
    }

    /// Fills the Arrow structures in, and returns the outermost. The fields are those of the row that is returned, or none where the columns are
    /// the input's.
    pub fn finish(&mut self, columns: &[Column], length: usize, fields: Option<&[Field]>) -> *const ArrowArray {
        let whole = self.first == 0 && self.rows == length;
        for (i, output) in self.outputs.iter_mut().enumerate() {
            let source = match fields {
                None => Some(&columns[i]),
                Some(f) if f[i].layout == Layout::Pass => columns.iter().find(|c| c.name() == f[i].name),
                _ => None,
            };
            self.children[i] = match source {
                None => output.finish(self.rows),
                Some(column) => {
                    let a = &mut self.passed[i];
                    *a = unsafe { *column.array };
                    a.offset += self.first as i64;
                    a.length = self.rows as i64;
                    a.release = 1;
                    if !whole && a.null_count != 0 {
                        a.null_count = -1;
                    }
                    a
                }
            };
        }
        self.array = ArrowArray {
            length: self.rows as i64,
            n_buffers: 1,
            n_children: self.children.len() as i64,
            buffers: &NONE.0,
            children: self.children.as_ptr(),
            ..ArrowArray::EMPTY
        };
        &self.array
    }
}
