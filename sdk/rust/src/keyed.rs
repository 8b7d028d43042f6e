use crate::column::Column;
use crate::flat::Emit;
use crate::function::Input;
use crate::host;
use crate::output::Output;
use crate::progress::Progress;
use crate::value::{unreadable, Field, Layout, ReadRow, Row, WriteRow};
use std::ops::{Deref, DerefMut};

/// The state of a row's key: its fields are those of S, by `key.field`. They have S's defaults while nothing is stored. What has changed is
/// stored when the batch is done; a None deletes its field.
pub struct Key<S> {
    state: S,
    new: bool,
    remove: bool,
}

impl<S> Key<S> {
    /// Whether nothing was stored for this key before this row.
    pub fn is_new(&self) -> bool {
        self.new
    }

    /// Forgets everything stored for this key, when the row is done.
    pub fn remove(&mut self) {
        self.remove = true;
    }
}

impl<S> Deref for Key<S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.state
    }
}

impl<S> DerefMut for Key<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.state
    }
}

/// A key's state during a run, and what the host has of each field.
struct Entry<S> {
    key: Key<S>,
    stored: Vec<Option<Vec<u8>>>,
    gone: bool,
}

/// As `flat_map`, with state per key.
pub fn keyed_map<'c, S, I, O>(
    input: &'c Input,
    out: &mut Progress,
    mut f: impl FnMut(&mut Key<S>, I, &mut Emit<O>) -> Result<(), String>,
) -> Result<(), String>
where
    S: Row + Default + WriteRow + for<'s> ReadRow<'s>,
    I: ReadRow<'c>,
    O: WriteRow,
{
    let fields = S::fields();
    let readers = I::readers(&input.columns);
    // Slots are numbered in the order in which keys first occur, so this is not longer than the batch.
    let mut entries: Vec<Option<Entry<S>>> = Vec::new();
    while out.next < out.length && !out.paused() {
        let slot = input.slot(out.next);
        if slot >= entries.len() {
            entries.resize_with(slot + 1, || None);
        }
        let mut entry = match entries[slot].take() {
            Some(entry) => entry,
            None => load(&fields, slot)?,
        };
        let row = unsafe { I::read(&readers, out.next) }.map_err(unreadable)?;
        let mut emit = Emit::new(out);
        f(&mut entry.key, row, &mut emit)?;
        emit.end()?;
        entry.gone = entry.key.remove;
        if entry.gone {
            entry.key.state = S::default();
        }
        entry.key.new = entry.gone;
        entry.key.remove = false;
        entries[slot] = Some(entry);
        out.next += 1;
    }
    let at = std::mem::replace(&mut out.next, out.length); // what fails now is no row's fault
    for (slot, entry) in entries.iter().enumerate() {
        if let Some(entry) = entry {
            save(&fields, slot, entry)?;
        }
    }
    out.next = at;
    Ok(())
}

fn load<S: Default + for<'s> ReadRow<'s>>(fields: &[Field], slot: usize) -> Result<Entry<S>, String> {
    let mut entry = Entry { key: Key { state: S::default(), new: true, remove: false }, stored: Vec::new(), gone: false };
    for (i, f) in fields.iter().enumerate() {
        let value = host::state_get(i, slot);
        if let Some(bytes) = &value {
            entry.key.new = false;
            let offsets = [0, bytes.len() as i64];
            let narrow = [offsets[1] << 32, 0]; // two of 4 bytes
            let (column, size) = match f.layout {
                Layout::Fixed(width) => (Column::single(width, bytes, None), width),
                Layout::Bits => (Column::single(0, bytes, None), 1),
                Layout::Text { wide: true } => (Column::single(8, bytes, Some(&offsets)), bytes.len()),
                _ => (Column::single(4, bytes, Some(&narrow)), bytes.len()),
            };
            if bytes.len() != size {
                return Err(format!("state {} holds {} bytes, expected {}", f.name, bytes.len(), size));
            }
            if unsafe { entry.key.state.set(i, &column) }.is_err() {
                return Err(format!("state {}: expected UTF-8", f.name));
            }
        }
        entry.stored.push(value);
    }
    Ok(entry)
}

fn save<S: WriteRow>(fields: &[Field], slot: usize, entry: &Entry<S>) -> Result<(), String> {
    for (i, f) in fields.iter().enumerate() {
        let mut scratch = Output::new(&f.layout);
        scratch.reserve(1);
        unsafe { entry.key.state.put(i, &mut scratch, 0) };
        let stored = entry.stored[i].as_deref();
        if entry.gone || scratch.nulls() > 0 {
            if stored.is_some() {
                host::state_delete(i, slot);
            }
        } else if stored != Some(scratch.single()) && !host::state_put(i, slot, scratch.single()) {
            return Err(format!("state {}: the host refused a value of {} bytes", f.name, scratch.single().len()));
        }
    }
    Ok(())
}
