//! Every type of column, in and out, borrowed and owned.

use std::borrow::Cow;
use wasmill::{row, Batch, Date, Decimal128, Duration, Emit, Key, List, Pass, Time32, Time64, Timestamp};

row! {
    #[derive(Clone)]
    struct Borrowed<'a> {
        b: Option<bool>,
        i8: Option<i8>,
        i16: Option<i16>,
        i32: Option<i32>,
        i64: Option<i64>,
        u8: Option<u8>,
        u16: Option<u16>,
        u32: Option<u32>,
        u64: Option<u64>,
        f32: Option<f32>,
        f64: Option<f64>,
        s: Option<&'a str>,
        y: Option<&'a [u8]>,
        ls: Option<&'a str> as "large_utf8",
        ly: Option<&'a [u8]> as "large_binary",
        d: Option<Date>,
        t32: Option<Time32>,
        t64: Option<Time64>,
        at: Option<Timestamp>,
        at_ms: Option<Timestamp> as "timestamp[ms]",
        dur: Option<Duration>,
        dec: Option<Decimal128> as "decimal128(20, 3)",
        id: Option<[u8; 5]>,
    }
}

row! {
    struct Owned<'a> {
        s: Option<String>,
        c: Option<Cow<'a, str>>,
        y: Option<Vec<u8>>,
        ls: Option<String> as "large_utf8",
        ly: Option<Vec<u8>> as "large_binary",
        d: Option<i32> as "date32",
        at = "at-ns": Option<i64> as "timestamp[ns]",
    }
}

row! { struct Passed { i64: Pass, s: Pass, b: Pass } }
row! {
    struct Point {
        x: i64,
        y: Option<i64>,
        tags: List<Option<String>>,
    }
}
row! {
    struct Nested<'a> {
        words: Option<List<List<&'a str>>>,
        point: Option<Point>,
        raw: Option<List<Option<i32>>>,
        points: Option<List<Point>>,
    }
}
row! { struct Lists<'a> { words: Option<List<&'a str>>, n: Pass as "int64" } }
row! { struct Sizes { rows: i64, bytes: i64 } }
row! { struct Text<'a> { i: i64, text: &'a str } }
row! { struct Word<'a> { word: &'a str, n: i64 } }
row! { struct Seen { is_new: bool, sum: i64, last: String } }
row! { #[derive(Default)] struct State { sum: i64, last: String, even: Option<bool> } }

static LETTERS: [u8; 1 << 20] = [b'x'; 1 << 20];

fn letters(n: i64) -> &'static str {
    std::str::from_utf8(&LETTERS[..n as usize]).unwrap_or("")
}

fn copy(row: Borrowed) -> Borrowed {
    row
}

fn copy_null(row: Owned) -> Owned {
    row
}

fn twice<'a>(row: Borrowed<'a>, emit: &mut Emit<Borrowed<'a>>) {
    emit.row(row.clone());
    emit.row(row);
}

fn pass(_: Borrowed) -> Passed {
    Passed { i64: Pass, s: Pass, b: Pass }
}

fn nested(row: Nested) -> Nested {
    row
}

fn join(row: Lists) -> Option<String> {
    row.words.map(|words| format!("n {}", words.join(" ")))
}

fn fan<'a>(sizes: Sizes, emit: &mut Emit<Text<'a>>) {
    for i in 0..sizes.rows {
        emit.row(Text { i, text: letters(sizes.bytes) });
    }
}

fn pad<'a>(sizes: Sizes) -> Text<'a> {
    Text { i: 0, text: letters(sizes.bytes) }
}

fn whole(batch: &Batch, row: usize) -> bool {
    batch.columns().iter().all(|c| !c.is_null(row))
}

fn fails(sizes: Sizes) -> Result<bool, String> {
    match sizes.rows {
        1 => Err("an error\nof two lines".to_string()),
        2 => panic!("a panic of {}", sizes.bytes),
        3 => Ok(LETTERS[sizes.bytes as usize] == 0),
        4 => Err(String::new()),
        _ => Ok(true),
    }
}

row! { struct Large { text: String } }

fn large(sizes: Sizes) -> Large {
    Large { text: "x".repeat(sizes.bytes as usize) }
}

fn flood(sizes: Sizes, emit: &mut Emit<Large>) {
    emit.row(Large { text: "x".repeat(sizes.bytes as usize) });
}

fn keyed(key: &mut Key<State>, row: Word, emit: &mut Emit<Seen>) -> Result<(), &'static str> {
    key.sum += row.n;
    let last = std::mem::replace(&mut key.last, format!("<{}>", row.word));
    emit.row(Seen { is_new: key.is_new(), sum: key.sum, last });
    key.even = Some(row.n % 2 == 0);
    if row.n == 0 {
        key.remove();
    }
    if row.n < 0 {
        return Err("negative");
    }
    Ok(())
}

wasmill::module! {
    "types":
    map copy(Borrowed) -> Borrowed;
    map copy_null(Owned) -> Owned;
    flat_map twice(Borrowed) -> Borrowed;
    map pass(Borrowed) -> Passed;
    map nested(Nested) -> Nested;
    scalar join(Lists) -> joined: Option<String>;
    flat_map fan(Sizes) -> Text;
    map pad(Sizes) -> Text;
    any_filter whole;
    filter fails(Sizes);
    map large(Sizes) -> Large;
    flat_map flood(Sizes) -> Large;
    keyed_map keyed(State; Word) -> Seen;
}
