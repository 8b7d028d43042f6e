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
pub struct Parts<'a, R> {
    readers: R,
    offset: usize,
    /// Those that must not have nulls and may.
    strict: Vec<&'a Column>,
}

impl<'a, T: ReadRow<'a>> Read<'a> for T {
    type Reader = Parts<'a, T::Readers>;
    fn reader(column: &'a Column) -> Self::Reader {
        let fields = T::fields();
        let strict = column.children.iter().zip(&fields).filter(|(c, f)| !f.nulls && !c.validity.is_null()).map(|(c, _)| c);
        Parts { readers: T::readers(&column.children), offset: column.offset, strict: strict.collect() }
    }
    #[inline]
    unsafe fn read(reader: &Self::Reader, row: usize) -> Result<Self, Unreadable> {
        let row = reader.offset + row;
        if reader.strict.iter().any(|c| c.null(row)) {
            return Err(Unreadable::Null);
        }
        <T as ReadRow<'a>>::read(&reader.readers, row).map_err(|(_, what)| what)
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
