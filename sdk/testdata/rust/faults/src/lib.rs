//! What goes wrong in functions, and names that a guest may use as it likes. Tests name lines of this file.

use wasmill::{row, Decimal128, Emit, List};

/// A guest's own: what the macros write must not mean it.
type Result<T> = std::result::Result<T, String>;

row! { struct Number { n: i64 } }
row! { struct Arguments<'a> { text = "the text": &'a str, r#type: Option<&'a [u8]> } }

fn run(number: Number) -> Result<Number> {
    Ok(Number { n: number.n.checked_sub(1).ok_or("no number is less")? })
}

fn r#loop(arguments: Arguments) -> i64 {
    let bytes = arguments.r#type.map_or(0, <[u8]>::len);
    (arguments.text.chars().count() + bytes) as i64
}

fn overflow(number: Number) -> i64 {
    number.n - 1
}

fn divide(number: Number) -> i64 {
    100 / number.n
}

/// Needs no error type of its own.
fn parse(arguments: Arguments) -> std::result::Result<u8, std::num::ParseIntError> {
    arguments.text.parse()
}

fn unwrap(number: Number) -> i64 {
    Some(number.n).filter(|n| *n > 0).unwrap()
}

fn forever(number: Number) -> i64 {
    let mut n = number.n;
    while n != 0 {
        n = n.wrapping_mul(3) | 1;
    }
    n
}

fn deep(number: Number) -> i64 {
    fn down(n: i64, above: &dyn Fn(i64) -> i64) -> i64 {
        if n == 0 {
            above(n)
        } else {
            down(n - 1, &|x| above(x ^ n))
        }
    }
    down(number.n, &|x| x)
}

/// Keeps all it can get: in one piece, in pieces, or as rows of the result.
fn hoard(number: Number, emit: &mut Emit<Held>) {
    match number.n {
        0 => emit.row(Held { bytes: vec![1; 1 << 30] }),
        1 => {
            let mut all = Vec::new();
            loop {
                all.push(vec![1u8; 1 << 20]);
            }
        }
        _ => loop {
            emit.row(Held { bytes: vec![1; 1 << 20] });
        },
    }
}

row! { struct Held { bytes: Vec<u8> } }
row! { struct Price { price: Option<Decimal128> as "decimal128(38, 2)", factors: Option<List<i64>> } }

/// Multiplies a price by what factors there are.
fn product(row: Price) -> Result<Option<Decimal128>> {
    let mut product = match row.price {
        Some(price) => price.0,
        None => return Ok(None),
    };
    for factor in row.factors.unwrap_or_default().iter() {
        product = product.checked_mul(i128::from(*factor)).ok_or_else(|| format!("{} times {} is too much", product, factor))?;
    }
    Ok(Some(Decimal128(product)))
}

wasmill::module! {
    "faults":
    map run(Number) -> Number;
    scalar r#loop(Arguments) -> r#type: i64;
    scalar parse(Arguments) -> n: u8;
    scalar overflow(Number) -> n: i64;
    scalar divide(Number) -> n: i64;
    scalar unwrap(Number) -> n: i64;
    scalar forever(Number) -> n: i64;
    scalar deep(Number) -> n: i64;
    flat_map hoard(Number) -> Held;
    scalar product(Price) -> product: Option<Decimal128> as "decimal128(38, 2)";
}
