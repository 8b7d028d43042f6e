use crate::column::Column;
use crate::progress::Progress;
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
    pub run: Run,
}

/// A batch that a function reads.
pub struct Input {
    pub(crate) columns: Vec<Column>,
    pub(crate) slots: *const i32,
    pub(crate) length: usize,
}

impl Input {
    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
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
        self
    }
}
