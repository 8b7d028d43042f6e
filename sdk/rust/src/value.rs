//! What a column's value can be, and what a row is: the traits that types of values keep and that `row!` writes.

use crate::column::Column;
use crate::output::Output;

/// How the values of a column lie in memory.
#[derive(Clone, Debug, PartialEq)]
pub enum Layout {
    /// Bytes per value.
    Fixed(usize),
    /// A bit per value.
    Bits,
    /// Offsets of 4 bytes, or of 8 when wide, and bytes.
    Text { wide: bool },
    /// Offsets of 4 bytes and the column of items.
    List(Box<Layout>),
    /// Columns side by side.
    Struct(Vec<Layout>),
    /// The input's column of the same name.
    Pass,
}

/// A type of Rust that stands for a column's.
pub trait Value: Sized {
    /// Whether null has a form of its own.
    const NULLS: bool = false;
    /// The Arrow type where none is named; "" where one must be.
    fn arrow() -> String;
    /// The layout of a column of an Arrow type, or None where the values of such a column are not of this type.
    fn layout(arrow: &str) -> Option<Layout>;
    /// The bytes of text and of items that the value adds to a step.
    #[inline]
    fn bytes(&self) -> usize {
        0
    }
}

/// A value that its type in Rust cannot hold.
pub enum Unreadable {
    /// Text that is no UTF-8.
    Text,
    /// A null within a list or a row, where the type has none.
    Null,
}

/// The error of a row with such a value in a column.
#[cold]
pub(crate) fn unreadable((column, what): (&str, Unreadable)) -> String {
    match what {
        Unreadable::Text => format!("column {}: expected UTF-8", column),
        Unreadable::Null => format!("column {}: expected no null within", column),
    }
}

/// A value that is read, possibly without a copy: `'a` is as long as the batch.
pub trait Read<'a>: Value {
    type Reader;
    fn reader(column: &'a Column) -> Self::Reader;
    /// # Safety
    /// The column of the reader has such a row, and the layout of this type.
    unsafe fn read(reader: &Self::Reader, row: usize) -> Result<Self, Unreadable>;
}

/// A value that is written.
pub trait Write: Value {
    /// Writes the value as that of a row, the next one after those written.
    ///
    /// # Safety
    /// The output has this type's layout and room for the row.
    unsafe fn write(&self, out: &mut Output, row: usize);
    /// Writes what stands below a null.
    ///
    /// # Safety
    /// As for `write`.
    unsafe fn blank(out: &mut Output, row: usize);
}

/// A column as a description has it.
#[derive(Clone)]
pub struct Field {
    pub name: String,
    pub arrow: String,
    pub nulls: bool,
    pub layout: Layout,
}

/// The name of a column or a function: that given, or the identifier without the mark of a raw one.
pub fn name(ident: &'static str, given: &[&'static str]) -> &'static str {
    given.first().copied().unwrap_or_else(|| ident.strip_prefix("r#").unwrap_or(ident))
}

/// Makes a field of a column of type T, whose Arrow type is T's own where none is given. It panics with a text for the
/// function's author where the Arrow type does not fit.
pub fn field<T: Value>(name: &str, given: &[&str]) -> Field {
    let own = T::arrow();
    let (plain, exclaimed) = match given.first() {
        Some(text) => (text.trim().trim_end_matches('!'), text.trim().ends_with('!')),
        None => (own.as_str(), false),
    };
    match T::layout(plain) {
        Some(layout) => Field { name: name.to_string(), arrow: plain.to_string(), nulls: T::NULLS && !exclaimed, layout },
        None => panic!(
            "column {}: {} cannot hold {}; README.md of the SDK lists what can",
            name,
            std::any::type_name::<T>(),
            if plain.is_empty() { "a column whose type is not named with `as`" } else { plain }
        ),
    }
}

impl Field {
    /// The type with "!" where no nulls occur.
    pub(crate) fn declared(&self) -> String {
        let exclamation = if self.nulls || self.arrow.is_empty() { "" } else { "!" };
        format!("{}{}", self.arrow, exclamation)
    }
}

/// A struct whose fields are columns.
pub trait Row: Sized {
    fn fields() -> Vec<Field>;
    /// The bytes of text and of items that the row adds to a step.
    fn bytes(&self) -> usize;
}

/// A row that is read from the columns of its fields, in their order.
pub trait ReadRow<'a>: Row {
    type Readers;
    fn readers(columns: &'a [Column]) -> Self::Readers;
    /// The error names the column. That a column without nulls has none is the host's to check.
    ///
    /// # Safety
    /// The columns have such a row, and the fields' layouts.
    unsafe fn read(readers: &Self::Readers, row: usize) -> Result<Self, (&'static str, Unreadable)>;
    /// Sets one field from the first row of a column.
    ///
    /// # Safety
    /// As for `read`.
    unsafe fn set(&mut self, field: usize, column: &'a Column) -> Result<(), Unreadable>;
}

/// A row that is written to the columns of its fields, in their order.
pub trait WriteRow: Row {
    /// # Safety
    /// The outputs have the fields' layouts and room for the row.
    unsafe fn write(&self, outputs: &mut [Output], row: usize);
    /// # Safety
    /// As for `write`.
    unsafe fn blank(outputs: &mut [Output], row: usize);
    /// Writes one field alone.
    ///
    /// # Safety
    /// As for `write`.
    unsafe fn put(&self, field: usize, output: &mut Output, row: usize);
}
