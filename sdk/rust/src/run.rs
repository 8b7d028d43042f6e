//! Functions from one row to one.

use crate::function::Input;
use crate::output::Output;
use crate::progress::Progress;
use crate::value::{unreadable, Field, ReadRow, Row, Value, Write, WriteRow};
use std::fmt::Display;

/// What a function may return for a T: itself, or a Result whose error, as text, is what fails its row.
pub trait Outcome<T> {
    fn outcome(self) -> Result<T, String>;
}

impl<T: Value> Outcome<T> for T {
    #[inline]
    fn outcome(self) -> Result<T, String> {
        Ok(self)
    }
}

impl<T, E: Display> Outcome<T> for Result<T, E> {
    #[inline]
    fn outcome(self) -> Result<T, String> {
        self.map_err(|e| e.to_string())
    }
}

impl Outcome<()> for () {
    #[inline]
    fn outcome(self) -> Result<(), String> {
        Ok(())
    }
}

/// One row of each.
pub fn map<'c, I: ReadRow<'c>, O: WriteRow>(
    input: &'c Input,
    out: &mut Progress,
    mut f: impl FnMut(I) -> Result<O, String>,
) -> Result<(), String> {
    let readers = I::readers(&input.columns);
    while out.next < out.length && !out.paused() {
        let row = unsafe { I::read(&readers, out.next) }.map_err(unreadable)?;
        let made = f(row)?;
        out.push(&made, None)?;
        out.next += 1;
    }
    Ok(())
}

/// One value of each row.
pub fn scalar<'c, I: ReadRow<'c>, T: Write>(
    input: &'c Input,
    out: &mut Progress,
    mut f: impl FnMut(I) -> Result<T, String>,
) -> Result<(), String> {
    map::<I, Single<T>>(input, out, |row| f(row).map(Single))
}

/// What a filter may say of a row; None does not keep it.
pub trait Keep: Write {}

impl Keep for bool {}
impl Keep for Option<bool> {}

/// Some of the rows.
pub fn filter<'c, I: ReadRow<'c>, K: Keep>(
    input: &'c Input,
    out: &mut Progress,
    f: impl FnMut(I) -> Result<K, String>,
) -> Result<(), String> {
    scalar(input, out, f)
}

/// A row of one column.
pub struct Single<T>(pub T);

impl<T: Value> Row for Single<T> {
    fn fields() -> Vec<Field> {
        vec![crate::value::field::<T>("value", &[])]
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
