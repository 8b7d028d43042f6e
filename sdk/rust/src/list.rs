use crate::column::Column;
use crate::output::Output;
use crate::value::{field, Layout, Read, Unreadable, Value, Write};
use std::ops::{Deref, DerefMut};

/// A list of values, of type `list<T>`. It is a Vec by another name, since a `Vec<u8>` is `binary`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Deref for List<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T: Value> Value for List<T> {
    fn arrow() -> String {
        format!("list<{}>", field::<T>("item", &[]).declared())
    }
    fn layout(arrow: &str) -> Option<Layout> {
        let inner = arrow.strip_prefix("list<")?.strip_suffix('>')?;
        T::layout(inner.trim_end_matches('!')).map(|item| Layout::List(Box::new(item)))
    }
    #[inline]
    fn bytes(&self) -> usize {
        self.iter().map(|item| 8.max(std::mem::size_of::<T>()) + item.bytes()).sum()
    }
}

/// Reads the items of a column of lists.
pub struct Items<'a, R> {
    column: &'a Column,
    item: R,
}

impl<'a, T: Read<'a>> Read<'a> for List<T> {
    type Reader = Items<'a, T::Reader>;
    fn reader(column: &'a Column) -> Self::Reader {
        Items { column, item: T::reader(&column.children[0]) }
    }
    unsafe fn read(reader: &Self::Reader, row: usize) -> Result<Self, Unreadable> {
        let (from, to) = (reader.column.span(row), reader.column.span(row + 1));
        let items = &reader.column.children[0];
        if !T::NULLS && (from..to).any(|i| items.null(i)) {
            return Err(Unreadable::Null);
        }
        (from..to).map(|i| T::read(&reader.item, i)).collect::<Result<Vec<T>, Unreadable>>().map(List)
    }
}

impl<T: Write> Write for List<T> {
    unsafe fn write(&self, out: &mut Output, row: usize) {
        let items = out.begin_items(self.len());
        for item in self.iter() {
            item.write(items, items.rows);
            items.rows += 1;
        }
        out.end_items(row);
    }
    unsafe fn blank(out: &mut Output, row: usize) {
        out.end_items(row);
    }
}
