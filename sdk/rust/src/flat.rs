use crate::function::Input;
use crate::progress::Progress;
use crate::value::{unreadable, ReadRow, WriteRow};
use std::marker::PhantomData;

/// Takes the rows that a `flat_map` or a `keyed_map` makes of one row.
pub struct Emit<'p, O> {
    progress: &'p mut Progress,
    fault: Option<String>,
    rows: PhantomData<fn(O)>,
}

impl<'p, O: WriteRow> Emit<'p, O> {
    pub(crate) fn new(progress: &'p mut Progress) -> Emit<'p, O> {
        Emit { progress, fault: None, rows: PhantomData }
    }

    /// Adds a row to the result. What it borrows is copied at once. A row of more than 32 MiB fails the row that it is made of.
    #[inline]
    pub fn row(&mut self, row: O) {
        let origin = self.progress.next;
        if let Err(text) = self.progress.push(&row, Some(origin)) {
            self.fault.get_or_insert(text);
        }
    }

    pub(crate) fn end(self) -> Result<(), String> {
        self.fault.map_or(Ok(()), Err)
    }
}

/// Any number of rows of each.
pub fn flat_map<'c, I: ReadRow<'c>, O: WriteRow>(
    input: &'c Input,
    out: &mut Progress,
    mut f: impl FnMut(I, &mut Emit<O>) -> Result<(), String>,
) -> Result<(), String> {
    let readers = I::readers(&input.columns);
    while out.next < out.length && !out.paused() {
        let row = unsafe { I::read(&readers, out.next) }.map_err(unreadable)?;
        let mut emit = Emit::new(out);
        f(row, &mut emit)?;
        emit.end()?;
        out.next += 1;
    }
    Ok(())
}
