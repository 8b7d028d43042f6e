//! State of process functions.

use crate::column::Column;
use crate::host;
use crate::output::Output;
use crate::value::{Field, Layout, Read, Write, WriteRow};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

thread_local! { // of the only thread there is
    /// The slot of the key at hand.
    static SLOT: Cell<usize> = const { Cell::new(0) };
    /// What a state could not do, which fails the row at hand.
    static FAULT: RefCell<Option<String>> = const { RefCell::new(None) };
}

pub(crate) fn at(slot: usize) {
    SLOT.with(|s| s.set(slot));
}

pub(crate) fn fault() -> Result<(), String> {
    FAULT.with(|f| f.borrow_mut().take().map_or(Ok(()), Err))
}

fn slot() -> usize {
    SLOT.with(Cell::get)
}

fn refuse(text: String) {
    FAULT.with(|f| {
        f.borrow_mut().get_or_insert(text);
    });
}

/// A state as a description has it.
pub struct StateField {
    pub name: &'static str,
    pub kind: &'static str,
    pub arrow: String,
    pub ttl: &'static str,
}

/// The states and side outputs of a process function.
#[derive(Default)]
pub struct Declared {
    pub states: Vec<StateField>,
    pub sides: Vec<(&'static str, Vec<Field>)>,
}

/// What `state!` makes of a struct.
pub trait Members: Sized {
    fn bind(declared: &mut Declared) -> Self;
}

/// A field of such a struct.
pub trait Member: Sized {
    fn bind(name: &'static str, ttl: &'static str, declared: &mut Declared) -> Self;
}

/// A value that is stored: numbers, text, bytes and times can be.
pub trait Stored: Write + for<'s> Read<'s> {}
impl<T: Write + for<'s> Read<'s>> Stored for T {}

/// Checks that values of a type can be stored, and returns its layout.
fn layout<T: Stored>(name: &str) -> Layout {
    match T::layout(&T::arrow()) {
        Some(layout @ (Layout::Fixed(_) | Layout::Bits | Layout::Text { .. })) if !T::NULLS => layout,
        _ => panic!("state {}: {} cannot be stored: numbers, text, bytes and times can", name, std::any::type_name::<T>()),
    }
}

fn encode<T: Stored, R>(layout: &Layout, value: &T, then: impl FnOnce(&[u8]) -> R) -> R {
    let mut out = Output::new(layout);
    out.reserve(1);
    unsafe { value.write(&mut out, 0) };
    then(out.single())
}

fn decode<T: Stored>(name: &str, layout: &Layout, bytes: &[u8]) -> Option<T> {
    let offsets = [0, bytes.len() as i64];
    let narrow = [offsets[1] << 32, 0]; // two of 4 bytes
    let (column, size) = match layout {
        Layout::Fixed(width) => (Column::single(*width, bytes, None), *width),
        Layout::Bits => (Column::single(0, bytes, None), 1),
        Layout::Text { wide: true } => (Column::single(8, bytes, Some(&offsets)), bytes.len()),
        _ => (Column::single(4, bytes, Some(&narrow)), bytes.len()),
    };
    if bytes.len() != size {
        refuse(format!("state {} holds {} bytes, expected {}", name, bytes.len(), size));
        return None;
    }
    let value = unsafe { T::read(&T::reader(&column), 0) };
    if value.is_err() {
        refuse(format!("state {}: expected UTF-8", name));
    }
    value.ok()
}

/// The length that stands in what the host writes.
fn length(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}

/// A state's number and name.
struct Handle {
    index: usize,
    name: &'static str,
}

impl Handle {
    fn new(name: &'static str, kind: &'static str, arrow: String, ttl: &'static str, declared: &mut Declared) -> Handle {
        declared.states.push(StateField { name, kind, arrow, ttl });
        Handle { index: declared.states.len() - 1, name }
    }

    fn stored(&self, taken: bool, size: usize) {
        if !taken {
            refuse(format!("state {}: the host refused a value of {} bytes", self.name, size));
        }
    }

    fn clear(&self) {
        host::state_delete(self.index, slot());
    }
}

/// A value per key.
pub struct ValueState<T> {
    handle: Handle,
    layout: Layout,
    values: PhantomData<fn(T)>,
}

impl<T: Stored> Member for ValueState<T> {
    fn bind(name: &'static str, ttl: &'static str, declared: &mut Declared) -> Self {
        ValueState { handle: Handle::new(name, "value", T::arrow(), ttl, declared), layout: layout::<T>(name), values: PhantomData }
    }
}

impl<T: Stored> ValueState<T> {
    /// The value, if there is one.
    pub fn get(&self) -> Option<T> {
        host::state_get(self.handle.index, slot()).and_then(|bytes| decode(self.handle.name, &self.layout, &bytes))
    }

    /// Stores a value.
    pub fn set(&self, value: T) {
        encode(&self.layout, &value, |b| self.handle.stored(host::state_put(self.handle.index, slot(), b), b.len()));
    }

    /// Stores the value that f makes of the one that is there and another; the first is stored as it is. PyFlink has a ReducingState for it.
    pub fn reduce(&self, value: T, f: impl FnOnce(T, T) -> T) {
        self.set(match self.get() {
            Some(old) => f(old, value),
            None => value,
        });
    }

    /// Removes the value.
    pub fn clear(&self) {
        self.handle.clear();
    }
}

/// A list per key.
pub struct ListState<T> {
    handle: Handle,
    layout: Layout,
    values: PhantomData<fn(T)>,
}

impl<T: Stored> Member for ListState<T> {
    fn bind(name: &'static str, ttl: &'static str, declared: &mut Declared) -> Self {
        ListState { handle: Handle::new(name, "list", T::arrow(), ttl, declared), layout: layout::<T>(name), values: PhantomData }
    }
}

impl<T: Stored> ListState<T> {
    /// Appends a value.
    pub fn add(&self, value: T) {
        encode(&self.layout, &value, |b| self.handle.stored(host::list_add(self.handle.index, slot(), b), b.len()));
    }

    /// All values, in the order in which they were added.
    pub fn get(&self) -> Vec<T> {
        let all = host::list_get(self.handle.index, slot()).unwrap_or_default();
        let (mut values, mut rest) = (Vec::new(), &all[..]);
        while rest.len() >= 4 {
            let (value, behind) = rest[4..].split_at(length(rest, 0));
            values.extend(decode(self.handle.name, &self.layout, value));
            rest = behind;
        }
        values
    }

    /// Replaces all values.
    pub fn update(&self, values: impl IntoIterator<Item = T>) {
        self.clear();
        values.into_iter().for_each(|v| self.add(v));
    }

    /// Removes all values.
    pub fn clear(&self) {
        self.handle.clear();
    }
}

/// A map per key. Its entries are stored one by one.
pub struct MapState<K, V> {
    handle: Handle,
    key: Layout,
    value: Layout,
    entries: PhantomData<fn(K, V)>,
}

impl<K: Stored, V: Stored> Member for MapState<K, V> {
    fn bind(name: &'static str, ttl: &'static str, declared: &mut Declared) -> Self {
        let handle = Handle::new(name, "map", format!("{}, {}", K::arrow(), V::arrow()), ttl, declared);
        MapState { handle, key: layout::<K>(name), value: layout::<V>(name), entries: PhantomData }
    }
}

impl<K: Stored, V: Stored> MapState<K, V> {
    /// The value of an entry, if there is one.
    pub fn get(&self, key: K) -> Option<V> {
        encode(&self.key, &key, |k| host::map_get(self.handle.index, slot(), k))
            .and_then(|bytes| decode(self.handle.name, &self.value, &bytes))
    }

    /// Stores the value of an entry.
    pub fn put(&self, key: K, value: V) {
        encode(&self.key, &key, |k| {
            encode(&self.value, &value, |v| {
                self.handle.stored(host::map_put(self.handle.index, slot(), k, v), k.len() + v.len())
            })
        });
    }

    /// Removes an entry.
    pub fn remove(&self, key: K) {
        encode(&self.key, &key, |k| host::map_remove(self.handle.index, slot(), k));
    }

    /// The entries, in the order of their keys' stored bytes: of text, that of the text.
    pub fn entries(&self) -> Vec<(K, V)> {
        let mut entries = Vec::new();
        let mut last: Option<Vec<u8>> = None;
        loop {
            let page = host::map_next(self.handle.index, slot(), last.as_deref());
            if page.is_empty() {
                return entries;
            }
            let mut rest = &page[..];
            while rest.len() >= 8 {
                let (key, behind) = rest[8..].split_at(length(rest, 0));
                let (value, behind) = behind.split_at(length(rest, 4));
                entries.extend(decode(self.handle.name, &self.key, key).zip(decode(self.handle.name, &self.value, value)));
                last = Some(key.to_vec());
                rest = behind;
            }
        }
    }

    /// Removes all entries.
    pub fn clear(&self) {
        self.handle.clear();
    }
}

/// A stream of rows beside the results, which the pipeline gives a label by the field's name: `ctx.side(&state.missed, row)`.
pub struct SideOutput<R> {
    pub(crate) index: usize,
    rows: PhantomData<fn(R)>,
}

impl<R: WriteRow> Member for SideOutput<R> {
    fn bind(name: &'static str, _: &'static str, declared: &mut Declared) -> Self {
        declared.sides.push((name, R::fields()));
        SideOutput { index: declared.sides.len() - 1, rows: PhantomData }
    }
}

/// Defines what a process function keeps per key, and its side outputs: a struct with fields of the types [`ValueState`],
/// [`ListState`], [`MapState`] and [`SideOutput`].
///
/// ```
/// wasmill::row! { struct Missed { user: String } }
/// wasmill::state! {
///     struct Visits {
///         last: wasmill::ValueState<i64>,
///         #[ttl = "1h"]
///         pages: wasmill::MapState<String, i64>,
///         missed: wasmill::SideOutput<Missed>,
///     }
/// }
/// ```
///
/// What has a ttl expires: a duration, and behind it if wanted OnReadAndWrite or ReturnExpiredIfNotCleanedUp.
#[macro_export]
macro_rules! state {
    ($vis:vis struct $name:ident { $($(#[ttl = $ttl:literal])? $field:ident : $type:ty),* $(,)? }) => {
        $vis struct $name { $($field: $type),* }

        impl $crate::rt::Members for $name {
            #[allow(unused_variables)]
            fn bind(declared: &mut $crate::rt::Declared) -> Self {
                Self {
                    $($field: <$type as $crate::rt::Member>::bind(
                        $crate::rt::name(stringify!($field), &[]), concat!("" $(, $ttl)?), declared)),*
                }
            }
        }
    };
}
