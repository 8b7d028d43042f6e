//! The functions that the conformance kit asks for, in Rust on the SDK.

use std::rc::Rc;
use wasmill::{row, Batch, Emit, Key, Pass};

row! { struct Number { n: Option<i64> } }
row! { struct Copied { n: i64, i: i64 } }
row! { struct Same { n: Pass } }
row! { struct Passed { n: Pass as "int64" } }
row! { struct Counted { n: Option<i64>, count: i64 } }
row! { #[derive(Default)] struct Total { count: i64 } }

fn echo(_: &Batch) {}

fn echo_filter_odd(number: Number) -> Option<bool> {
    number.n.map(|n| n & 1 != 0)
}

fn dup(number: Number, emit: &mut Emit<Copied>) {
    let n = number.n.unwrap_or(0);
    for i in 0..n {
        emit.row(Copied { n, i });
    }
}

fn add(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    Some(a?.wrapping_add(b?))
}

fn upper(s: Option<String>) -> Option<String> {
    s.map(|s| s.to_ascii_uppercase())
}

row! { struct Signed { n: Option<i64> } }

fn fail_on_negative(number: Signed) -> Result<Signed, &'static str> {
    match number.n {
        Some(n) if n < 0 => Err("the number is negative\nin fail_on_negative"),
        _ => Ok(number),
    }
}

fn pass(_: Passed) -> Same {
    Same { n: Pass }
}

fn config(_: Passed) -> String {
    let config: Rc<str> = wasmill::config();
    config.to_string()
}

fn count(key: &mut Key<Total>, number: Number, emit: &mut Emit<Counted>) {
    key.count += 1;
    emit.row(Counted { n: number.n, count: key.count });
}

fn gcd(a: &[i64], b: &[i64], out: &mut [i64]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        let (mut a, mut b) = (a, b);
        while b != 0 {
            (a, b) = (b, a.wrapping_rem(b));
        }
        *out = a;
    }
}

fn many(number: Number, emit: &mut Emit<Copied>) {
    dup(number, emit)
}

mod operate;
use operate::{fired, operate, Line, Operate, Order};

wasmill::module! {
    "conformance":
    /// returns what comes
    any_map echo;
    filter echo_filter_odd(Number);
    flat_map dup(Number) -> Copied;
    flat_map many(Number) -> Copied;
    scalar add(a: Option<i64>, b: Option<i64>) -> sum: Option<i64>;
    vector gcd(a: i64, b: i64) -> gcd: i64;
    scalar upper(s: Option<String>) -> s: Option<String>;
    map fail_on_negative(Signed) -> Signed;
    map pass(Passed) -> Same;
    scalar config(Passed) -> config: String;
    keyed_map count(Total; Number) -> Counted;
    /// does what its rows say
    process operate(Operate; Order) -> Line, timer fired;
}
