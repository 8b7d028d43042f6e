//! A guest whose author has named a type that does not fit.

wasmill::row! { struct Number { n: i64 as "utf8" } }

fn f(number: Number) -> Number {
    number
}

wasmill::module! {
    "refused":
    map f(Number) -> Number;
}
