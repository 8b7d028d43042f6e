//! A row within a row: a struct.

use crate::column::Column;
use crate::output::Output;
use crate::value::{Layout, Read, ReadRow, Row, Unreadable, Value, Write, WriteRow};

impl<T: Row> Value for T {
    fn arrow() -> String {
        let parts: Vec<String> = T::fields().iter().map(|f| format!("{}: {}", f.name, f.declared())).collect();
        format!("struct<{}>", parts.join(", "))
    }
    fn layout(arrow: &str) -> Option<Layout> {
        (arrow == Self::arrow()).then(|| Layout::Struct(T::fields().into_iter().map(|f| f.layout).collect()))
    }
    #[inline]
    fn bytes(&self) -> usize {
        Row::bytes(self)
    }
}

/// Reads a struct's columns.
pub struct Parts<R> {
    readers: R,
    offset: usize,
}

impl<'a, T: ReadRow<'a>> Read<'a> for T {
    type Reader = Parts<T::Readers>;
    fn reader(column: &'a Column) -> Self::Reader {
        Parts { readers: T::readers(&column.children), offset: column.offset }
    }
    #[inline]
    unsafe fn read(reader: &Self::Reader, row: usize) -> Result<Self, Unreadable> {
        <T as ReadRow<'a>>::read(&reader.readers, reader.offset + row).map_err(|_| Unreadable)
    }
}

impl<T: WriteRow> Write for T {
    unsafe fn write(&self, out: &mut Output, row: usize) {
        WriteRow::write(self, &mut out.children, row);
    }
    unsafe fn blank(out: &mut Output, row: usize) {
        <T as WriteRow>::blank(&mut out.children, row);
    }
}
