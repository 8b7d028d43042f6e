use crate::array::{ArrowArray, ArrowSchema};
use std::ptr;

/// An input column. Row 0 is the batch's first row, whatever the offsets are.
pub struct Column {
    name: String,
    format: String,
    pub(crate) width: usize,        // bytes of a value or of an offset
    pub(crate) validity: *const u8, // bitmap, of which bit offset+row counts; null when there are no nulls
    pub(crate) values: *const u8,   // row 0's value or offset; of bool the bitmap
    pub(crate) data: *const u8,     // the bytes of text
    pub(crate) offset: usize,
    pub(crate) length: usize,
    pub(crate) array: *const ArrowArray,
    pub(crate) children: Vec<Column>,
}

impl Column {
    /// The column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The column's type in the notation of the Arrow C data interface, such as "l" for int64.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// Whether the column is null in a row. It panics where the batch has no such row.
    pub fn is_null(&self, row: usize) -> bool {
        assert!(row < self.length, "row {} of {}", row, self.length);
        self.format == "n" || self.null(row)
    }

    #[inline]
    pub(crate) fn null(&self, row: usize) -> bool {
        !self.validity.is_null() && !unsafe { bit(self.validity, self.offset + row) }
    }

    /// A column of one row over a value's bytes, for state. Offsets are those of a text column: 0 and the length.
    pub(crate) fn single(width: usize, value: &[u8], offsets: Option<&[i64; 2]>) -> Column {
        let (values, data) = match offsets {
            Some(o) => (o.as_ptr() as *const u8, value.as_ptr()),
            None => (value.as_ptr(), ptr::null()),
        };
        Column { width, values, data, length: 1, ..Column::new(String::new(), String::new()) }
    }

    fn new(name: String, format: String) -> Column {
        let width = width(&format);
        let (validity, values, data, array) = (ptr::null(), ptr::null(), ptr::null(), ptr::null());
        Column { name, format, width, validity, values, data, offset: 0, length: 0, array, children: Vec::new() }
    }

    /// Copies what a schema says.
    ///
    /// # Safety
    /// The schema is one that the host has built.
    pub(crate) unsafe fn learn(s: &ArrowSchema) -> Column {
        let mut c = Column::new(text(s.name), text(s.format));
        c.children = (0..s.n_children as usize).map(|i| Column::learn(&**s.children.add(i))).collect();
        c
    }

    /// Points the column at a batch, whose memory must stay as it is for as long as anything is read.
    ///
    /// # Safety
    /// The array is one that the host has built, for the schema that was learned.
    pub(crate) unsafe fn view(&mut self, a: &ArrowArray) {
        let buffer = |i: usize| if (i as i64) < a.n_buffers { *a.buffers.add(i) } else { ptr::null() };
        self.array = a;
        self.length = a.length as usize;
        self.offset = a.offset as usize;
        self.validity = if a.null_count != 0 { buffer(0) } else { ptr::null() };
        self.values = buffer(1);
        if !self.values.is_null() {
            self.values = self.values.add(self.offset * self.width);
        }
        self.data = buffer(2);
        for (i, c) in self.children.iter_mut().enumerate() {
            c.view(&**a.children.add(i));
        }
    }

    /// Offset number `row` of text or of a list; 0 in a column without rows, which may have no offsets.
    #[inline]
    pub(crate) unsafe fn span(&self, row: usize) -> usize {
        if self.values.is_null() {
            0
        } else if self.width == 8 {
            *(self.values as *const i64).add(row) as usize
        } else {
            *(self.values as *const i32).add(row) as usize
        }
    }
}

#[inline]
pub(crate) unsafe fn bit(bitmap: *const u8, i: usize) -> bool {
    *bitmap.add(i >> 3) >> (i & 7) & 1 != 0
}

unsafe fn text(s: *const u8) -> String {
    if s.is_null() {
        return String::new();
    }
    let mut n = 0;
    while *s.add(n) != 0 {
        n += 1;
    }
    String::from_utf8_lossy(std::slice::from_raw_parts(s, n)).into_owned()
}

/// The bytes of a value, or of an offset, of a type in the notation of the C data interface.
fn width(format: &str) -> usize {
    match format {
        "c" | "C" => 1,
        "s" | "S" => 2,
        "i" | "I" | "f" | "u" | "z" | "tdD" | "tts" | "ttm" | "+l" | "+m" => 4,
        "l" | "L" | "g" | "U" | "Z" => 8,
        _ if format.starts_with('d') => 16,
        _ if format.starts_with('t') => 8,
        _ => format.strip_prefix("w:").and_then(|n| n.parse().ok()).unwrap_or(0),
    }
}
