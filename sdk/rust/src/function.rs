use crate::column::Column;
use crate::process::{Domain, Timer};
use crate::progress::Progress;
use crate::state::Declared;
use crate::value::{Field, Layout};

/// How a run ends: the error is a text for the row `progress.next`, or for none when that is behind the last.
pub type Done = Result<(), String>;

/// What runs a function over a batch, from row `progress.next` on, until a step is full or the batch is done.
pub type Run = fn(&Input, &mut Progress) -> Done;

/// A function as `module!` lists it.
pub struct Function {
    pub name: &'static str,
    pub kind: &'static str,
    pub doc: String,
    /// None: any columns.
    pub input: Option<Vec<Field>>,
    /// None: the input's columns.
    pub output: Option<Vec<Field>>,
    pub state: Option<Vec<Field>>,
    /// The states and side outputs of a process function.
    pub process: Option<Declared>,
    pub run: Run,
}

/// A batch that a function reads.
pub struct Input {
    pub(crate) columns: Vec<Column>,
    pub(crate) slots: *const i32,
    pub(crate) length: usize,
    /// Of a process function: the times of its rows or timers, and the domains of its timers, null in a call with rows.
    pub(crate) times: Option<Column>,
    pub(crate) domains: *const i8,
}

impl Input {
    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Whether the call is about timers.
    pub(crate) fn firing(&self) -> bool {
        !self.domains.is_null()
    }

    /// The time of a row or a timer.
    pub(crate) fn time(&self, row: usize) -> Option<i64> {
        assert!(row < self.length);
        let times = self.times.as_ref()?;
        (!times.null(row)).then(|| unsafe { *(times.values as *const i64).add(row) })
    }

    /// A timer that fires.
    pub(crate) fn timer(&self, row: usize) -> Timer {
        let time = self.time(row).unwrap_or(0);
        let domain = if unsafe { *self.domains.add(row) } == 0 { Domain::EventTime } else { Domain::ProcessingTime };
        Timer { time, domain }
    }

    /// The slot of a row's key.
    pub(crate) fn slot(&self, row: usize) -> usize {
        assert!(row < self.length && !self.slots.is_null());
        unsafe { *self.slots.add(row) as usize }
    }
}

impl Function {
    /// Checks what the types cannot, and gives the columns that are passed on the types that the input declares for them. It
    /// panics with a text for the function's author.
    pub fn checked(mut self) -> Function {
        let name = self.name;
        for fields in [&self.input, &self.output, &self.state].into_iter().flatten() {
            for (i, f) in fields.iter().enumerate() {
                if fields[..i].iter().any(|other| other.name == f.name) {
                    panic!("function {}: there are two columns named {}", name, f.name);
                }
            }
        }
        let input = self.input.clone().unwrap_or_default();
        if let Some(f) = input.iter().find(|f| f.arrow.is_empty()) {
            panic!("function {}: column {}: a Pass in an input names its type, as in `{}: Pass as \"utf8\"`", name, f.name, f.name);
        }
        for f in self.output.iter_mut().flatten().filter(|f| f.layout == Layout::Pass) {
            match input.iter().find(|from| from.name == f.name) {
                _ if self.kind != "map" => {
                    panic!("function {}: column {} cannot be passed on: only a map has one row for each", name, f.name)
                }
                None => panic!("function {}: there is no input column {} to pass on", name, f.name),
                Some(from) => {
                    f.arrow = from.arrow.clone();
                    f.nulls = from.nulls;
                }
            }
        }
        for f in self.state.iter().flatten() {
            if matches!(f.layout, Layout::Pass | Layout::List(_) | Layout::Struct(_)) {
                panic!("function {}: state {}: lists, rows and Pass cannot be state; store a Vec<u8>", name, f.name);
            }
        }
        if let Some(declared) = &self.process {
            let mut names: Vec<&str> = Vec::new();
            for name in declared.states.iter().map(|s| s.name).chain(declared.sides.iter().map(|s| s.0)) {
                if names.contains(&name) {
                    panic!("function {}: there are two states or side outputs named {}", self.name, name);
                }
                names.push(name);
            }
        }
        self
    }
}
