//! Functions over whole columns of numbers.

use crate::function::Input;
use crate::page::STEP_ROWS;
use crate::progress::Progress;
use crate::value::Value;
use crate::{Date, Duration, Time32, Time64, Timestamp};

/// What a vectorised function gets in slices: any bytes are such a value.
pub trait Number: Value + Copy {}

macro_rules! numbers {
    ($($type:ty),+) => {$(impl Number for $type {})+};
}
numbers!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, Date, Duration, Time32, Time64, Timestamp);

/// The values of an input column.
pub fn slice<T: Number>(input: &Input, column: usize) -> &[T] {
    let c = &input.columns[column];
    if input.length == 0 || c.values.is_null() {
        return &[];
    }
    unsafe { std::slice::from_raw_parts(c.values as *const T, input.length) }
}

/// Has f fill the result's only column; it is null where an input is.
pub fn finish_vector<T: Number>(input: &Input, out: &mut Progress, f: impl FnOnce(&mut [T]) -> Result<(), String>) -> Result<(), String> {
    let rows = input.length;
    out.next = rows; // what fails is the whole batch
    if rows > STEP_ROWS {
        return Err(format!("a vectorised function takes at most {} rows at once, got {}", STEP_ROWS, rows));
    }
    let page = out.page();
    page.reset(0, rows);
    page.rows = rows;
    let output = &mut page.outputs[0];
    f(unsafe { std::slice::from_raw_parts_mut(output.values() as *mut T, rows) })?;
    for c in input.columns.iter().filter(|c| !c.validity.is_null()) {
        for row in 0..rows {
            if c.null(row) {
                output.set_null(row);
            }
        }
    }
    Ok(())
}
