/// Lists the functions of a guest, once per crate. After the guest's name come entries that say of which kind a function is, its columns, and
/// with `///` what it does:
///
/// ```ignore
/// wasmill::module! {
///     "sensors":
///     /// kelvin, and whether that is hot
///     map rate(Reading) -> Rated;                          // fn rate(Reading) -> Rated
///     flat_map words(Line) -> Word;                        // fn words(Line, &mut Emit<Word>)
///     filter warm(Reading);                                // fn warm(Reading) -> bool, or Option<bool>
///     scalar slug(Line) -> slug: String;                   // fn slug(Line) -> String
///     scalar gcd(a: i64, b: i64) -> gcd: i64;              // fn gcd(i64, i64) -> i64
///     vector fahrenheit(celsius: f64) -> fahrenheit: f64;  // fn fahrenheit(&[f64], &mut [f64])
///     keyed_map smooth(Average; Reading) -> Smoothed;      // fn smooth(&mut Key<Average>, Reading, &mut Emit<Smoothed>)
///     process visits(Visits; Click) -> Visit, timer left;  // fn visits(&mut Context<Visit>, &Visits, Click), fn left(&mut Context<Visit>, &Visits, Timer)
///     any_filter whole;                                    // fn whole(&Batch, usize) -> bool
///     any_map echo;                                        // fn echo(&Batch)
/// }
/// ```
///
/// Each of them may return a Result instead; an error fails the row, and anything that can be displayed is one.
#[macro_export]
macro_rules! module {
    ($name:literal : $($entries:tt)*) => {
        #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
        fn __wasmill_functions() -> ::std::vec::Vec<$crate::rt::Function> {
            #[allow(unused_mut)]
            let mut all = ::std::vec::Vec::new();
            $crate::__entry!(all; $($entries)*);
            all
        }

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::rt;
            #[no_mangle]
            pub extern "C" fn wasmill_abi_v1() -> i32 { 1 }
            #[no_mangle]
            pub extern "C" fn wasmill_alloc(size: usize, align: usize) -> *mut u8 { rt::alloc(size, align) }
            #[no_mangle]
            pub unsafe extern "C" fn wasmill_free(start: *mut u8, size: usize, align: usize) { rt::free(start, size, align) }
            #[no_mangle]
            pub extern "C" fn wasmill_describe() -> u64 { rt::described(__wasmill_functions, $name) }
            #[no_mangle]
            pub extern "C" fn wasmill_error() -> u64 { rt::error(__wasmill_functions) }
            #[no_mangle]
            pub unsafe extern "C" fn wasmill_open(function: usize, schema: *const rt::ArrowSchema, config: *const u8, size: usize) -> i32 {
                rt::open(__wasmill_functions, function, schema, config, size)
            }
            #[no_mangle]
            pub unsafe extern "C" fn wasmill_call(function: usize, batch: *const rt::ArrowArray, out: *mut rt::Step) -> i32 {
                rt::call(__wasmill_functions, function, batch, out)
            }
            #[no_mangle]
            pub unsafe extern "C" fn wasmill_next(function: usize, out: *mut rt::Step) -> i32 {
                rt::next(__wasmill_functions, function, out)
            }
            #[no_mangle]
            pub unsafe extern "C" fn wasmill_timers(function: usize, batch: *const rt::ArrowArray, out: *mut rt::Step) -> i32 {
                rt::timers(__wasmill_functions, function, batch, out)
            }
            #[no_mangle]
            pub extern "C" fn wasmill_release(array: *const rt::ArrowArray) { rt::release(__wasmill_functions, array) }
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    ($all:ident;) => {};
    ($all:ident; $(#[doc = $doc:expr])* map $f:ident($in:ty) -> $out:ty; $($rest:tt)*) => {
        $crate::__add!($all, $f, "map", [$($doc),*], Some(<$in as $crate::rt::Row>::fields()), Some(<$out as $crate::rt::Row>::fields()), None,
            |input, progress| $crate::rt::map::<$in, $out>(input, progress, |row| $crate::rt::Outcome::<$out>::outcome($f(row))));
        $crate::__entry!($all; $($rest)*);
    };
    ($all:ident; $(#[doc = $doc:expr])* flat_map $f:ident($in:ty) -> $out:ty; $($rest:tt)*) => {
        $crate::__add!($all, $f, "flat_map", [$($doc),*], Some(<$in as $crate::rt::Row>::fields()), Some(<$out as $crate::rt::Row>::fields()), None,
            |input, progress| $crate::rt::flat_map::<$in, $out>(input, progress, |row, emit| $crate::rt::Outcome::<()>::outcome($f(row, emit))));
        $crate::__entry!($all; $($rest)*);
    };
    ($all:ident; $(#[doc = $doc:expr])* filter $f:ident($in:ty); $($rest:tt)*) => {
        $crate::__add!($all, $f, "filter", [$($doc),*], Some(<$in as $crate::rt::Row>::fields()), Some(<$crate::rt::Single<Option<bool>> as $crate::rt::Row>::fields()), None,
            |input, progress| $crate::rt::filter::<$in, _>(input, progress, |row| $crate::rt::Outcome::outcome($f(row))));
        $crate::__entry!($all; $($rest)*);
    };
    ($all:ident; $(#[doc = $doc:expr])* scalar $f:ident($($arg:ident : $type:ty $(as $arrow:literal)?),+) -> $name:ident : $out:ty $(as $as:literal)?; $($rest:tt)*) => {
        {
            $crate::row! { struct __WasmillArguments { $($arg: $type $(as $arrow)?),+ } }
            $crate::__add!($all, $f, "scalar", [$($doc),*], Some(<__WasmillArguments as $crate::rt::Row>::fields()), $crate::__result!($name: $out $(as $as)?), None,
                |input, progress| $crate::rt::scalar::<__WasmillArguments, $out>(input, progress, |row| $crate::rt::Outcome::<$out>::outcome($f($(row.$arg),+))));
        }
        $crate::__entry!($all; $($rest)*);
    };
    ($all:ident; $(#[doc = $doc:expr])* scalar $f:ident($in:ty) -> $name:ident : $out:ty $(as $as:literal)?; $($rest:tt)*) => {
        $crate::__add!($all, $f, "scalar", [$($doc),*], Some(<$in as $crate::rt::Row>::fields()), $crate::__result!($name: $out $(as $as)?), None,
            |input, progress| $crate::rt::scalar::<$in, $out>(input, progress, |row| $crate::rt::Outcome::<$out>::outcome($f(row))));
        $crate::__entry!($all; $($rest)*);
    };
    ($all:ident; $(#[doc = $doc:expr])* vector $f:ident($($arg:ident : $type:ty $(as $arrow:literal)?),+) -> $name:ident : $out:ty $(as $as:literal)?; $($rest:tt)*) => {
        {
            $crate::row! { struct __WasmillArguments { $($arg: Option<$type> $(as $arrow)?),+ } }
            $crate::__add!($all, $f, "scalar", [$($doc),*], Some(<__WasmillArguments as $crate::rt::Row>::fields()), $crate::__result!($name: Option<$out> $(as $as)?), None,
                |input, progress| {
                    let mut column = 0..;
                    $(let $arg = $crate::rt::slice::<$type>(input, column.next().unwrap_or(0));)+
                    $crate::rt::finish_vector::<$out>(input, progress, |out| $crate::rt::Outcome::<()>::outcome($f($($arg,)+ out)))
                });
        }
        $crate::__entry!($all; $($rest)*);
    };
    ($all:ident; $(#[doc = $doc:expr])* keyed_map $f:ident($state:ty; $in:ty) -> $out:ty; $($rest:tt)*) => {
        $crate::__add!($all, $f, "keyed_map", [$($doc),*], Some(<$in as $crate::rt::Row>::fields()), Some(<$out as $crate::rt::Row>::fields()), Some(<$state as $crate::rt::Row>::fields()),
            |input, progress| $crate::rt::keyed_map::<$state, $in, $out>(input, progress, |key, row, emit| $crate::rt::Outcome::<()>::outcome($f(key, row, emit))));
        $crate::__entry!($all; $($rest)*);
    };
    ($all:ident; $(#[doc = $doc:expr])* process $f:ident($state:ty; $in:ty) -> $out:ty, timer $timer:ident; $($rest:tt)*) => {
        $crate::__add!($all, $f, "process", [$($doc),*], Some(<$in as $crate::rt::Row>::fields()), Some(<$out as $crate::rt::Row>::fields()), None,
            |input, progress| $crate::rt::process::<$state, $in, $out>(input, progress,
                |context, state, row| $crate::rt::Outcome::<()>::outcome($f(context, state, row)),
                |context, state, timer| $crate::rt::Outcome::<()>::outcome($timer(context, state, timer))),
            {
                let mut declared = $crate::rt::Declared::default();
                let _ = <$state as $crate::rt::Members>::bind(&mut declared);
                Some(declared)
            });
        $crate::__entry!($all; $($rest)*);
    };
    ($all:ident; $(#[doc = $doc:expr])* any_filter $f:ident; $($rest:tt)*) => {
        $crate::__add!($all, $f, "filter", [$($doc),*], None, Some(<$crate::rt::Single<Option<bool>> as $crate::rt::Row>::fields()), None,
            |input, progress| $crate::rt::any_filter(input, progress, |batch, row| $crate::rt::Outcome::outcome($f(batch, row))));
        $crate::__entry!($all; $($rest)*);
    };
    ($all:ident; $(#[doc = $doc:expr])* any_map $f:ident; $($rest:tt)*) => {
        $crate::__add!($all, $f, "map", [$($doc),*], None, None, None,
            |input, progress| $crate::rt::any_map(input, progress, |batch| $crate::rt::Outcome::<()>::outcome($f(batch))));
        $crate::__entry!($all; $($rest)*);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __result {
    ($name:ident : $out:ty $(as $as:literal)?) => {
        Some(vec![$crate::rt::field::<$out>($crate::rt::name(stringify!($name), &[]), &[$($as)?])])
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __add {
    ($all:ident, $f:ident, $kind:literal, [$($doc:expr),*], $input:expr, $output:expr, $state:expr, |$in:ident, $progress:ident| $run:expr) => {
        $crate::__add!($all, $f, $kind, [$($doc),*], $input, $output, $state, |$in, $progress| $run, None)
    };
    ($all:ident, $f:ident, $kind:literal, [$($doc:expr),*], $input:expr, $output:expr, $state:expr, |$in:ident, $progress:ident| $run:expr, $process:expr) => {{
        // Names of items, unlike those of variables, can hide the guest's.
        fn __wasmill_run($in: &$crate::rt::Input, $progress: &mut $crate::rt::Progress) -> $crate::rt::Done {
            $run
        }
        let lines: &[&str] = &[$($doc),*];
        let doc = lines.iter().map(|line| line.trim()).collect::<::std::vec::Vec<_>>().join(" ");
        let function = $crate::rt::Function {
            name: $crate::rt::name(stringify!($f), &[]), kind: $kind, doc, input: $input, output: $output, state: $state, process: $process,
            run: __wasmill_run,
        };
        $all.push(function.checked());
    }};
}
