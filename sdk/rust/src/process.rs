//! Process functions.

use crate::function::Input;
use crate::host;
use crate::progress::Progress;
use crate::state::{self, Declared, Members, SideOutput};
use crate::value::{unreadable, ReadRow, WriteRow};
use std::marker::PhantomData;

/// The time that a timer is about. Timers of event time fire when the watermark has come to their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    EventTime = 0,
    ProcessingTime = 1,
}

/// A timer that fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// In milliseconds since 1970 UTC.
    pub time: i64,
    pub domain: Domain,
}

/// What a process function has of its row or its timer.
pub struct Context<'p, O> {
    input: &'p Input,
    progress: &'p mut Progress,
    fault: Option<String>,
    rows: PhantomData<fn(O)>,
}

impl<O: WriteRow> Context<'_, O> {
    /// Adds a row to the result. Its event time is that of the row or the timer.
    pub fn emit(&mut self, row: O) {
        let origin = self.progress.next;
        if let Err(text) = self.progress.push(&row, Some(origin)) {
            self.fault.get_or_insert(text);
        }
    }

    /// Adds a row to a side output. Its event time is that of the row or the timer.
    pub fn side<R: WriteRow>(&mut self, side: &SideOutput<R>, row: R) {
        let origin = self.progress.next;
        if let Err(text) = self.progress.sides[side.index].push(&row, Some(origin)) {
            self.fault.get_or_insert(text);
        }
    }

    /// The event time of the row, or the time of the timer, in milliseconds since 1970 UTC.
    pub fn time(&self) -> Option<i64> {
        self.input.time(self.progress.next)
    }

    /// The event time that the input has come to, in milliseconds; i64::MIN before the first watermark.
    pub fn watermark(&self) -> i64 {
        host::watermark()
    }

    /// Processing time in milliseconds.
    pub fn now(&self) -> i64 {
        host::now()
    }

    /// Makes sure that the key has a timer. One whose time is over fires soon.
    pub fn set_timer(&mut self, domain: Domain, ms: i64) {
        host::timer_set(self.input.slot(self.progress.next), domain as i32, ms);
    }

    /// Removes a timer of the key, if it has it.
    pub fn delete_timer(&mut self, domain: Domain, ms: i64) {
        host::timer_delete(self.input.slot(self.progress.next), domain as i32, ms);
    }
}

/// Calls a process function for rows, or for timers.
pub fn process<'c, S: Members, I: ReadRow<'c>, O: WriteRow>(
    input: &'c Input,
    out: &mut Progress,
    mut row: impl FnMut(&mut Context<O>, &S, I) -> Result<(), String>,
    mut timer: impl FnMut(&mut Context<O>, &S, Timer) -> Result<(), String>,
) -> Result<(), String> {
    let members = S::bind(&mut Declared::default());
    let readers = (!input.firing()).then(|| I::readers(&input.columns));
    while out.next < out.length && !out.paused() {
        let at = out.next;
        state::at(input.slot(at));
        let mut context = Context { input, progress: out, fault: None, rows: PhantomData };
        match &readers {
            Some(readers) => {
                let values = unsafe { I::read(readers, at) }.map_err(unreadable)?;
                row(&mut context, &members, values)?;
            }
            None => timer(&mut context, &members, input.timer(at))?,
        }
        context.fault.map_or(Ok(()), Err)?;
        state::fault()?;
        out.next += 1;
    }
    Ok(())
}
