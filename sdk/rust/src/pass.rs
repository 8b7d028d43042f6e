use crate::column::Column;
use crate::output::Output;
use crate::value::{Layout, Read, Unreadable, Value, Write};

/// A column that a function does not look into. In a row that is read it names a type, `carrier: Pass as "utf8"`; in the row that a `map`
/// returns it stands for the input's column of that name, which is handed back without being copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass;

impl Value for Pass {
    const NULLS: bool = true;
    fn arrow() -> String {
        String::new()
    }
    fn layout(_: &str) -> Option<Layout> {
        Some(Layout::Pass)
    }
}

impl<'a> Read<'a> for Pass {
    type Reader = ();
    #[inline]
    fn reader(_: &'a Column) {}
    #[inline]
    unsafe fn read(_: &(), _: usize) -> Result<Self, Unreadable> {
        Ok(Pass)
    }
}

impl Write for Pass {
    #[inline]
    unsafe fn write(&self, _: &mut Output, _: usize) {}
    #[inline]
    unsafe fn blank(_: &mut Output, _: usize) {}
}
