//! Values of a fixed width: numbers, times, bool and bytes of a fixed number.

use crate::column::{bit, Column};
use crate::output::Output;
use crate::value::{Layout, Read, Unreadable, Value, Write};
use std::marker::PhantomData;

/// Where the values of a column lie.
pub struct Fixed<'a> {
    values: *const u8,
    batch: PhantomData<&'a Column>,
}

macro_rules! fixed {
    ($($type:ty, $arrow:literal, $($also:literal)|+;)+) => {$(
        impl Value for $type {
            fn arrow() -> String {
                $arrow.to_string()
            }
            fn layout(arrow: &str) -> Option<Layout> {
                match arrow.split(['[', '(']).next().unwrap_or("").trim() {
                    $($also)|+ => Some(Layout::Fixed(std::mem::size_of::<$type>())),
                    _ => None,
                }
            }
        }
        impl<'a> Read<'a> for $type {
            type Reader = Fixed<'a>;
            #[inline]
            fn reader(column: &'a Column) -> Fixed<'a> {
                Fixed { values: column.values, batch: PhantomData }
            }
            #[inline]
            unsafe fn read(reader: &Fixed<'a>, row: usize) -> Result<Self, Unreadable> {
                Ok((reader.values as *const $type).add(row).read_unaligned())
            }
        }
        impl Write for $type {
            #[inline]
            unsafe fn write(&self, out: &mut Output, row: usize) {
                *(out.values() as *mut $type).add(row) = *self;
            }
            #[inline]
            unsafe fn blank(out: &mut Output, row: usize) {
                std::ptr::write_bytes((out.values() as *mut $type).add(row), 0, 1);
            }
        }
    )+};
}

macro_rules! times {
    ($($(#[$doc:meta])* $type:ident($number:ty);)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $type(pub $number);
    )+};
}

times! {
    /// Days since 1970-01-01: `date32`.
    Date(i32);
    /// A time since midnight, `time32[ms]` unless another unit is named with `as "time32[s]"`.
    Time32(i32);
    /// A time since midnight, `time64[us]` unless another unit is named with `as "time64[ns]"`.
    Time64(i64);
    /// A time since 1970-01-01, `timestamp[us, UTC]` unless another unit or zone is named, as in `as "timestamp[ms]"`.
    Timestamp(i64);
    /// A length of time, `duration[us]` unless another unit is named.
    Duration(i64);
}

fixed! {
    i8, "int8", "int8";
    i16, "int16", "int16";
    i32, "int32", "int32" | "date32" | "time32";
    i64, "int64", "int64" | "int" | "timestamp" | "time64" | "duration";
    u8, "uint8", "uint8";
    u16, "uint16", "uint16";
    u32, "uint32", "uint32";
    u64, "uint64", "uint64";
    f32, "float32", "float32";
    f64, "float64", "float64" | "float";
    Date, "date32", "date32";
    Time32, "time32[ms]", "time32";
    Time64, "time64[us]", "time64";
    Timestamp, "timestamp[us, UTC]", "timestamp";
    Duration, "duration[us]", "duration";
}

/// Bits and where they begin.
pub struct Bits<'a> {
    bitmap: *const u8,
    offset: usize,
    batch: PhantomData<&'a Column>,
}

impl Value for bool {
    fn arrow() -> String {
        "bool".to_string()
    }
    fn layout(arrow: &str) -> Option<Layout> {
        (arrow == "bool").then_some(Layout::Bits)
    }
}

impl<'a> Read<'a> for bool {
    type Reader = Bits<'a>;
    #[inline]
    fn reader(column: &'a Column) -> Bits<'a> {
        Bits { bitmap: column.values, offset: column.offset, batch: PhantomData }
    }
    #[inline]
    unsafe fn read(reader: &Bits<'a>, row: usize) -> Result<Self, Unreadable> {
        Ok(bit(reader.bitmap, reader.offset + row))
    }
}

impl Write for bool {
    #[inline]
    unsafe fn write(&self, out: &mut Output, row: usize) {
        let at = out.values().add(row >> 3);
        *at = *at & !(1 << (row & 7)) | (*self as u8) << (row & 7);
    }
    #[inline]
    unsafe fn blank(out: &mut Output, row: usize) {
        false.write(out, row);
    }
}

impl<const N: usize> Value for [u8; N] {
    fn arrow() -> String {
        format!("fixed_size_binary[{}]", N)
    }
    fn layout(arrow: &str) -> Option<Layout> {
        (arrow == Self::arrow()).then_some(Layout::Fixed(N))
    }
}

impl<'a, const N: usize> Read<'a> for [u8; N] {
    type Reader = Fixed<'a>;
    #[inline]
    fn reader(column: &'a Column) -> Fixed<'a> {
        Fixed { values: column.values, batch: PhantomData }
    }
    #[inline]
    unsafe fn read(reader: &Fixed<'a>, row: usize) -> Result<Self, Unreadable> {
        Ok(*(reader.values as *const [u8; N]).add(row))
    }
}

impl<const N: usize> Write for [u8; N] {
    #[inline]
    unsafe fn write(&self, out: &mut Output, row: usize) {
        *(out.values() as *mut [u8; N]).add(row) = *self;
    }
    #[inline]
    unsafe fn blank(out: &mut Output, row: usize) {
        [0; N].write(out, row);
    }
}
