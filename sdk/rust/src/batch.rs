use crate::column::Column;
use crate::function::Input;
use crate::progress::Progress;
use crate::run::{Keep, Single};

/// A batch of any columns, as `any_filter` and `any_map` see it.
pub struct Batch<'a> {
    input: &'a Input,
}

impl<'a> Batch<'a> {
    /// The columns.
    pub fn columns(&self) -> &'a [Column] {
        &self.input.columns
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.input.length
    }
}

/// A filter over rows of any columns.
pub fn any_filter<K: Keep>(input: &Input, out: &mut Progress, mut f: impl FnMut(&Batch, usize) -> Result<K, String>) -> Result<(), String> {
    let batch = Batch { input };
    while out.next < out.length && !out.paused() {
        let keep = f(&batch, out.next)?;
        out.push(&Single(keep), None)?;
        out.next += 1;
    }
    Ok(())
}

/// Sees a batch, which is returned as it is.
pub fn any_map(input: &Input, out: &mut Progress, f: impl FnOnce(&Batch) -> Result<(), String>) -> Result<(), String> {
    out.page().rows = input.length;
    out.next = out.length;
    f(&Batch { input })
}
