//! Text and bytes, borrowed and owned.

use crate::column::Column;
use crate::output::Output;
use crate::value::{Layout, Read, Unreadable, Value, Write};
use std::borrow::Cow;

/// Reads the bytes of a column's rows.
pub struct Bytes<'a> {
    column: &'a Column,
    /// All that lies between the first offset and the last is UTF-8, so that a value is too where it begins and ends between characters.
    utf8: bool,
}

impl<'a> Bytes<'a> {
    #[inline]
    unsafe fn at(&self, row: usize) -> &'a [u8] {
        let (from, to) = (self.column.span(row), self.column.span(row + 1));
        if from == to {
            return &[]; // data may be a null pointer
        }
        std::slice::from_raw_parts(self.column.data.add(from), to - from)
    }

    /// The reader of text checks all rows at once, which is quicker than row by row.
    fn text(column: &'a Column) -> Bytes<'a> {
        let all = unsafe {
            let (from, to) = (column.span(0), column.span(column.length));
            if from == to {
                &[]
            } else {
                std::slice::from_raw_parts(column.data.add(from), to - from)
            }
        };
        Bytes { column, utf8: std::str::from_utf8(all).is_ok() }
    }

    #[inline]
    unsafe fn text_at(&self, row: usize) -> Result<&'a str, Unreadable> {
        let bytes = self.at(row);
        // A value in valid UTF-8 is cut wrongly only when it, or what follows it, begins within a character.
        if self.utf8 && !bytes.is_empty() && begins(bytes[0]) {
            let next = self.column.span(row + 1);
            if next == self.column.span(self.column.length) || begins(*self.column.data.add(next)) {
                return Ok(std::str::from_utf8_unchecked(bytes));
            }
        }
        std::str::from_utf8(bytes).map_err(|_| Unreadable::Text)
    }
}

#[inline]
fn begins(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

fn layout(arrow: &str, narrow: &[&str], wide: &[&str]) -> Option<Layout> {
    if narrow.contains(&arrow) {
        return Some(Layout::Text { wide: false });
    }
    wide.contains(&arrow).then_some(Layout::Text { wide: true })
}

macro_rules! text {
    ($($type:ty, $lifetime:lifetime, $arrow:literal, [$($narrow:literal),+], $wide:literal, $reader:expr, |$r:ident, $row:ident| $read:expr;)+) => {$(
        impl<$lifetime> Value for $type {
            fn arrow() -> String {
                $arrow.to_string()
            }
            fn layout(arrow: &str) -> Option<Layout> {
                layout(arrow, &[$($narrow),+], &[$wide])
            }
            #[inline]
            fn bytes(&self) -> usize {
                self.len()
            }
        }
        impl<$lifetime> Read<$lifetime> for $type {
            type Reader = Bytes<$lifetime>;
            #[inline]
            fn reader(column: &$lifetime Column) -> Self::Reader {
                $reader(column)
            }
            #[inline]
            unsafe fn read($r: &Self::Reader, $row: usize) -> Result<Self, Unreadable> {
                $read
            }
        }
        impl<$lifetime> Write for $type {
            #[inline]
            unsafe fn write(&self, out: &mut Output, row: usize) {
                out.put_bytes(row, self.as_ref());
            }
            #[inline]
            unsafe fn blank(out: &mut Output, row: usize) {
                out.put_bytes(row, &[]);
            }
        }
    )+};
}

fn raw(column: &Column) -> Bytes<'_> {
    Bytes { column, utf8: false }
}

text! {
    &'a str, 'a, "utf8", ["utf8", "string"], "large_utf8", Bytes::text, |r, row| r.text_at(row);
    String, 'a, "utf8", ["utf8", "string"], "large_utf8", Bytes::text, |r, row| r.text_at(row).map(str::to_string);
    &'a [u8], 'a, "binary", ["binary", "bytes"], "large_binary", raw, |r, row| Ok(r.at(row));
    Vec<u8>, 'a, "binary", ["binary", "bytes"], "large_binary", raw, |r, row| Ok(r.at(row).to_vec());
}

/// Text that is borrowed where it is unchanged.
impl<'a> Value for Cow<'a, str> {
    fn arrow() -> String {
        String::arrow()
    }
    fn layout(arrow: &str) -> Option<Layout> {
        String::layout(arrow)
    }
    #[inline]
    fn bytes(&self) -> usize {
        self.len()
    }
}

impl<'a> Read<'a> for Cow<'a, str> {
    type Reader = Bytes<'a>;
    #[inline]
    fn reader(column: &'a Column) -> Bytes<'a> {
        Bytes::text(column)
    }
    #[inline]
    unsafe fn read(r: &Bytes<'a>, row: usize) -> Result<Self, Unreadable> {
        r.text_at(row).map(Cow::Borrowed)
    }
}

impl<'a> Write for Cow<'a, str> {
    #[inline]
    unsafe fn write(&self, out: &mut Output, row: usize) {
        out.put_bytes(row, self.as_bytes());
    }
    #[inline]
    unsafe fn blank(out: &mut Output, row: usize) {
        out.put_bytes(row, &[]);
    }
}
