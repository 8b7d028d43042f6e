/// Defines a struct whose fields are the columns of a row, in their order.
///
/// ```
/// wasmill::row! {
///     #[derive(Clone)]
///     pub struct Reading<'a> {
///         sensor: &'a str,
///         at: Option<wasmill::Timestamp> as "timestamp[ms]",
///         celsius = "temperature-c": f64,
///     }
/// }
/// ```
///
/// `as` names an Arrow type where the plain one is not meant, and `=` a column whose name is not the field's. An Option is a column with nulls;
/// other columns are declared without, and a null in them fails its row. A lifetime is how long borrowed values live: until the
/// function returns.
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($body:tt)* }) => {
        $crate::__row!([$(#[$meta])* $vis struct $name] [$name] ['row] { $($body)* });
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident<$life:lifetime> { $($body:tt)* }) => {
        $crate::__row!([$(#[$meta])* $vis struct $name<$life>] [$name<$life>] [$life] { $($body)* });
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __row {
    ([$($head:tt)*] [$($name:tt)*] [$life:lifetime]
     { $($(#[$meta:meta])* $vis:vis $field:ident $(= $column:literal)? : $type:ty $(as $arrow:literal)?),* $(,)? }) => {
        $($head)* { $($(#[$meta])* $vis $field: $type),* }

        #[allow(unused_lifetimes, clippy::extra_unused_lifetimes)]
        impl<$life> $crate::rt::Row for $($name)* {
            fn fields() -> ::std::vec::Vec<$crate::rt::Field> {
                vec![$({
                    $crate::rt::field::<$type>($crate::rt::name(stringify!($field), &[$($column)?]), &[$($arrow)?])
                }),*]
            }
            #[inline]
            fn bytes(&self) -> usize {
                0 $(+ <$type as $crate::rt::Value>::bytes(&self.$field))*
            }
        }

        #[allow(unused_variables, unused_mut, unused_assignments)]
        impl<$life> $crate::rt::ReadRow<$life> for $($name)* {
            type Readers = ($(<$type as $crate::rt::Read<$life>>::Reader,)*);
            #[inline]
            fn readers(columns: &$life [$crate::rt::Column]) -> Self::Readers {
                let mut columns = columns.iter();
                ($({
                    let column = columns.next().expect(stringify!($field));
                    <$type as $crate::rt::Read<$life>>::reader(column)
                },)*)
            }
            #[inline]
            unsafe fn read(readers: &Self::Readers, row: usize) -> ::std::result::Result<Self, (&'static str, $crate::rt::Unreadable)> {
                let ($($field,)*) = readers;
                Ok(Self {
                    $($field: match <$type as $crate::rt::Read<$life>>::read($field, row) {
                        Ok(value) => value,
                        Err(what) => return Err(($crate::rt::name(stringify!($field), &[$($column)?]), what)),
                    }),*
                })
            }
            unsafe fn set(&mut self, field: usize, column: &$life $crate::rt::Column) -> ::std::result::Result<(), $crate::rt::Unreadable> {
                let mut at = 0;
                $(if at == field {
                    let reader = <$type as $crate::rt::Read<$life>>::reader(column);
                    self.$field = <$type as $crate::rt::Read<$life>>::read(&reader, 0)?;
                }
                at += 1;)*
                Ok(())
            }
        }

        #[allow(unused_variables, unused_mut, unused_assignments, clippy::extra_unused_lifetimes)]
        impl<$life> $crate::rt::WriteRow for $($name)* {
            #[inline]
            unsafe fn write(&self, outputs: &mut [$crate::rt::Output], row: usize) {
                let mut outputs = outputs.iter_mut();
                $(if let Some(output) = outputs.next() {
                    <$type as $crate::rt::Write>::write(&self.$field, output, row);
                })*
            }
            unsafe fn blank(outputs: &mut [$crate::rt::Output], row: usize) {
                let mut outputs = outputs.iter_mut();
                $(if let Some(output) = outputs.next() {
                    <$type as $crate::rt::Write>::blank(output, row);
                })*
            }
            unsafe fn put(&self, field: usize, output: &mut $crate::rt::Output, row: usize) {
                let mut at = 0;
                $(if at == field {
                    <$type as $crate::rt::Write>::write(&self.$field, output, row);
                }
                at += 1;)*
            }
        }
    };
}
