//! Functions from one row to one.

use crate::column::Column;
use crate::function::Input;
use crate::output::Output;
use crate::progress::Progress;
use crate::value::{Field, Read, ReadRow, Row, Unreadable, Value, Write, WriteRow};

/// What a function may return for a T: itself, or a Result with a text for what fails its row.
pub trait Outcome<T> {
    fn outcome(self) -> Result<T, String>;
}

impl<T: Value> Outcome<T> for T {
    #[inline]
    fn outcome(self) -> Result<T, String> {
        Ok(self)
    }
}

impl<T, E: Into<String>> Outcome<T> for Result<T, E> {
    #[inline]
    fn outcome(self) -> Result<T, String> {
        self.map_err(Into::into)
    }
}

impl Outcome<()> for () {
    #[inline]
    fn outcome(self) -> Result<(), String> {
        Ok(())
    }
}

/// One row of each, from `map` and `scalar`.
pub fn map<'c, I: ReadRow<'c>, O: WriteRow>(
    input: &'c Input,
    out: &mut Progress,
    mut f: impl FnMut(I) -> Result<O, String>,
) -> Result<(), String> {
    let readers = I::readers(&input.columns);
    while out.next < out.length && !out.paused() {
        let row = unsafe { I::read(&readers, out.next)? };
        let made = f(row)?;
        out.push(&made, None)?;
        out.next += 1;
    }
    Ok(())
}

/// A filter: a column of bool, or of Option<bool>, where None is not kept.
pub fn filter<'c, I: ReadRow<'c>, K: Write>(
    input: &'c Input,
    out: &mut Progress,
    mut f: impl FnMut(I) -> Result<K, String>,
) -> Result<(), String> {
    map::<I, Single<K>>(input, out, |row| f(row).map(Single))
}

/// A row of one column.
pub struct Single<T>(pub T);

impl<T: Value> Row for Single<T> {
    fn fields() -> Vec<Field> {
        vec![crate::value::field::<T>("value", None, None)]
    }
    #[inline]
    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

impl<T: Write> WriteRow for Single<T> {
    #[inline]
    unsafe fn write(&self, outputs: &mut [Output], row: usize) {
        self.0.write(&mut outputs[0], row);
    }
    unsafe fn blank(outputs: &mut [Output], row: usize) {
        T::blank(&mut outputs[0], row);
    }
    unsafe fn put(&self, _: usize, output: &mut Output, row: usize) {
        self.0.write(output, row);
    }
}

impl<'a, T: Read<'a>> ReadRow<'a> for Single<T> {
    type Readers = T::Reader;
    fn readers(columns: &'a [Column]) -> T::Reader {
        T::reader(&columns[0])
    }
    #[inline]
    unsafe fn read(readers: &T::Reader, row: usize) -> Result<Self, &'static str> {
        T::read(readers, row).map(Single).map_err(|_| "value")
    }
    unsafe fn set(&mut self, _: usize, column: &'a Column) -> Result<(), Unreadable> {
        self.0 = T::read(&T::reader(column), 0)?;
        Ok(())
    }
}
