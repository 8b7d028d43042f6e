//! What the benchmarks time: the same functions as in testdata/c/bench.c.

use wasmill::{row, Emit, Pass};

row! { struct Flight<'a> { carrier: &'a str, distance: i64, delay: Option<f64> } }
row! { struct Named<'a> { carrier: &'a str, delay: Option<f64> } }
row! { struct Measured { carrier: Pass as "utf8", distance: i64, delay: Option<f64> } }
row! { struct Rated { carrier: Pass, speed: f64, late: Option<bool> } }

fn numbers(flight: Measured) -> Rated {
    Rated { carrier: Pass, speed: flight.distance as f64 / 1.6, late: flight.delay.map(|d| d > 15.0) }
}

fn text(flight: Flight) -> Named {
    Named { carrier: flight.carrier, delay: flight.delay }
}

fn late(flight: Measured) -> bool {
    flight.delay.map_or(false, |d| d > 15.0)
}

fn twice<'a>(flight: Flight<'a>, emit: &mut Emit<Flight<'a>>) {
    for _ in 0..2 {
        emit.row(Flight { ..flight });
    }
}

fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a.wrapping_rem(b));
    }
    a
}

fn gcd_v(a: &[i64], b: &[i64], out: &mut [i64]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = gcd(a, b);
    }
}

wasmill::module! {
    "bench":
    map numbers(Measured) -> Rated;
    map text(Flight) -> Named;
    filter late(Measured);
    flat_map twice(Flight) -> Flight;
    scalar gcd(a: i64, b: i64) -> gcd: i64;
    vector gcd_v(a: i64, b: i64) -> gcd: i64;
}
