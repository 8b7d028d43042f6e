use crate::array::Step;
use crate::function::{Function, Input};
use crate::page::{Page, STEP_BYTES, STEP_ROWS};
use crate::value::{Layout, WriteRow};
use std::collections::VecDeque;

/// How far a call has come: the rows worked on, and the steps of its result.
pub struct Progress {
    layouts: Vec<Layout>,
    pub(crate) length: usize,
    /// The first row not worked on yet. While a function runs: the row at work, or `length` when the work is of no row.
    pub(crate) next: usize,
    pub(crate) now: Option<Box<Page>>,
    pub(crate) full: VecDeque<Box<Page>>,
    #[allow(clippy::vec_box)] // a page stays where it is, whoever has it
    pub(crate) idle: Vec<Box<Page>>,
    pub(crate) done: bool,
    /// Of the side outputs of a process function.
    pub(crate) sides: Vec<Progress>,
}

impl Progress {
    /// For a function whose results have columns of these layouts.
    pub(crate) fn new(layouts: Vec<Layout>) -> Progress {
        Progress { layouts, length: 0, next: 0, now: None, full: VecDeque::new(), idle: Vec::new(), done: true, sides: Vec::new() }
    }

    /// Starts a call over so many rows, and takes back what is left of the one before.
    pub(crate) fn begin(&mut self, length: usize) {
        self.drop_pages();
        self.length = length;
        self.next = 0;
        self.done = false;
    }

    pub(crate) fn drop_pages(&mut self) {
        self.idle.extend(self.now.take());
        self.idle.extend(self.full.drain(..));
        self.sides.iter_mut().for_each(Progress::drop_pages);
    }

    /// Puts the steps of side outputs that are full, or all, behind those of the results.
    fn gather(&mut self, all: bool) {
        for (i, side) in self.sides.iter_mut().enumerate() {
            if all {
                match side.now.take() {
                    Some(page) if page.rows > 0 => side.full.push_back(page),
                    page => side.idle.extend(page),
                }
            }
            for mut page in side.full.drain(..) {
                page.side = i + 1;
                self.full.push_back(page);
            }
        }
    }

    /// The page to write to, with room for a row at least.
    pub(crate) fn page(&mut self) -> &mut Page {
        if self.now.is_none() {
            self.turn();
        }
        match &mut self.now {
            Some(page) => page,
            None => unreachable!(),
        }
    }

    /// Puts the current page among the full ones and takes an empty one.
    fn turn(&mut self) {
        self.full.extend(self.now.take());
        let layouts = &self.layouts;
        let mut page = self.idle.pop().unwrap_or_else(|| Box::new(Page::new(layouts)));
        page.reset(self.next, (self.length - self.next).max(64));
        self.now = Some(page);
    }

    /// Appends a row. Origin is the row it comes from, None where rows correspond one to one.
    #[inline]
    pub(crate) fn push<O: WriteRow>(&mut self, row: &O, origin: Option<usize>) -> Result<(), String> {
        let bytes = row.bytes();
        let page = self.page();
        if page.rows == page.cap || page.bytes + bytes > STEP_BYTES {
            self.make_room(bytes)?;
        }
        let page = self.page();
        unsafe { row.write(&mut page.outputs, page.rows) };
        if let Some(origin) = origin {
            page.origins.push(origin as i32);
        }
        page.rows += 1;
        page.bytes += bytes;
        Ok(())
    }

    #[cold]
    fn make_room(&mut self, bytes: usize) -> Result<(), String> {
        let page = self.page();
        if bytes > STEP_BYTES {
            return Err(format!("a row holds {} bytes, more than 32 MiB", bytes));
        }
        if page.rows == STEP_ROWS || page.bytes + bytes > STEP_BYTES {
            self.turn();
        } else {
            page.reserve(page.cap * 2);
        }
        Ok(())
    }

    /// Whether a run has to stop, so that the host can take what there is.
    pub(crate) fn paused(&self) -> bool {
        !self.full.is_empty() || self.sides.iter().any(Progress::paused)
    }

    /// Runs the function on where there is no step to hand out. The row of an error is -1 where it is of none.
    pub(crate) fn run(&mut self, function: &Function, input: &Input) -> Result<(), (i32, String)> {
        if !self.full.is_empty() {
            return Ok(());
        }
        if self.done {
            return Err((-1, "wasmill_next was called after the last step".to_string()));
        }
        self.page();
        if let Err(text) = (function.run)(input, self) {
            self.done = true;
            self.drop_pages();
            return Err((if self.next < self.length { self.next as i32 } else { -1 }, text));
        }
        self.done = self.next >= self.length;
        self.gather(self.done);
        if self.done {
            if let Some(page) = self.now.take() {
                if page.rows > 0 || self.full.is_empty() {
                    self.full.push_back(page);
                } else {
                    self.idle.push(page);
                }
            }
        }
        Ok(())
    }

    /// Hands out the next step; the page is the caller's to keep until the host releases its array.
    pub(crate) fn hand_out(&mut self, function: &Function, input: &Input, out: &mut Step) -> (bool, Box<Page>) {
        let mut page = self.full.pop_front().expect("a step");
        let fields = match (page.side, &function.process) {
            (1.., Some(declared)) => Some(&declared.sides[page.side - 1].1[..]),
            _ => function.output.as_deref(),
        };
        out.array = page.finish(&input.columns, input.length, fields);
        out.side = page.side as u32;
        if function.process.is_some() {
            out.origins = page.origins.as_ptr();
        } else if let Some(last) = page.origins.last() {
            out.origins = page.origins.as_ptr();
            let following = self.full.front().or(self.now.as_ref());
            out.partial = (following.and_then(|f| f.origins.first()) == Some(last)) as u32;
        }
        (self.done && self.full.is_empty(), page)
    }
}
