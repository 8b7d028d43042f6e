use crate::column::Column;
use crate::output::Output;
use crate::value::{Layout, Read, Unreadable, Value, Write};

/// The unscaled value of a decimal128(P, S), which stands for that divided by 10ˢ. The type must be named:
/// `price: Decimal128 as "decimal128(10, 2)"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal128(pub i128);

impl Value for Decimal128 {
    fn arrow() -> String {
        String::new()
    }
    fn layout(arrow: &str) -> Option<Layout> {
        arrow.starts_with("decimal128(").then_some(Layout::Fixed(16))
    }
}

impl<'a> Read<'a> for Decimal128 {
    type Reader = &'a Column;
    #[inline]
    fn reader(column: &'a Column) -> &'a Column {
        column
    }
    #[inline]
    unsafe fn read(reader: &&'a Column, row: usize) -> Result<Self, Unreadable> {
        Ok(Decimal128((reader.values as *const i128).add(row).read_unaligned()))
    }
}

impl Write for Decimal128 {
    #[inline]
    unsafe fn write(&self, out: &mut Output, row: usize) {
        (out.values() as *mut i128).add(row).write_unaligned(self.0);
    }
    #[inline]
    unsafe fn blank(out: &mut Output, row: usize) {
        Decimal128(0).write(out, row);
    }
}
