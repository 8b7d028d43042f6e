//! Option: a value or null.

use crate::column::{bit, Column};
use crate::output::Output;
use crate::value::{Layout, Read, Unreadable, Value, Write};

/// A value's reader and the bitmap that says where there are values.
pub struct Nullable<R> {
    validity: *const u8,
    offset: usize,
    value: R,
}

impl<T: Value> Value for Option<T> {
    const NULLS: bool = true;
    fn arrow() -> String {
        T::arrow()
    }
    fn layout(arrow: &str) -> Option<Layout> {
        T::layout(arrow).filter(|_| !T::NULLS)
    }
    #[inline]
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, T::bytes)
    }
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    type Reader = Nullable<T::Reader>;
    #[inline]
    fn reader(column: &'a Column) -> Self::Reader {
        Nullable { validity: column.validity, offset: column.offset, value: T::reader(column) }
    }
    #[inline]
    unsafe fn read(reader: &Self::Reader, row: usize) -> Result<Self, Unreadable> {
        if !reader.validity.is_null() && !bit(reader.validity, reader.offset + row) {
            return Ok(None);
        }
        T::read(&reader.value, row).map(Some)
    }
}

impl<T: Write> Write for Option<T> {
    #[inline]
    unsafe fn write(&self, out: &mut Output, row: usize) {
        match self {
            Some(value) => value.write(out, row),
            None => Self::blank(out, row),
        }
    }
    #[inline]
    unsafe fn blank(out: &mut Output, row: usize) {
        T::blank(out, row);
        out.set_null(row);
    }
}
