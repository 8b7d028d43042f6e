//! A guest in Rust with what such guests use: strings, collections, formatting, parsing, closures, trait objects, panics, a big function.

use std::cell::RefCell;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::fmt::{self, Write};
use std::rc::Rc;

#[derive(Clone, Debug, PartialEq)]
enum Json {
    Null,
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

#[derive(Debug)]
struct Unexpected(usize, Option<char>);

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "at {}: {:?}", self.0, self.1)
    }
}

impl std::error::Error for Unexpected {}

fn parse(text: &[char], at: &mut usize) -> Result<Json, Box<dyn std::error::Error>> {
    while text.get(*at).map_or(false, |c| c.is_whitespace() || *c == ',' || *c == ':') {
        *at += 1;
    }
    let start = *at;
    *at += 1;
    match text.get(start) {
        Some('n') => {
            *at += 3;
            Ok(Json::Null)
        }
        Some('"') => {
            let end = text[*at..].iter().position(|c| *c == '"').ok_or(Unexpected(start, None))?;
            let found = text[*at..*at + end].iter().collect();
            *at += end + 1;
            Ok(Json::Text(found))
        }
        Some('[') => {
            let mut list = Vec::new();
            while text[*at] != ']' {
                list.push(parse(text, at)?);
            }
            *at += 1;
            Ok(Json::List(list))
        }
        Some('{') => {
            let mut object = BTreeMap::new();
            while text[*at] != '}' {
                if let Json::Text(name) = parse(text, at)? {
                    object.insert(name, parse(text, at)?);
                }
            }
            *at += 1;
            Ok(Json::Object(object))
        }
        Some(c) if c.is_ascii_digit() || *c == '-' => {
            while text.get(*at).map_or(false, |c| c.is_ascii_digit() || ".eE+-".contains(*c)) {
                *at += 1;
            }
            Ok(Json::Number(text[start..*at].iter().collect::<String>().parse()?))
        }
        other => Err(Unexpected(start, other.copied()).into()),
    }
}

trait Shape {
    fn area(&self) -> f64;
}

struct Circle(f64);
struct Square(f64);

impl Shape for Circle {
    fn area(&self) -> f64 {
        self.0.powi(2) * std::f64::consts::PI
    }
}

impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

/// Writes a function with an arm for every number named, times eight.
macro_rules! big {
    ($($n:literal)*) => {
        fn big(n: i32, out: &mut String) -> i64 {
            let mut sum = 0i64;
            $(
                match n.wrapping_mul($n) & 7 {
                    0 => sum += i64::from(n) * $n,
                    1 => write!(out, "{}:{:x};", $n, n).unwrap(),
                    2 => sum ^= sum.rotate_left($n % 64),
                    3 => out.push_str(concat!("arm ", $n)),
                    4 => sum = sum.checked_add($n).unwrap_or(i64::MIN),
                    5 => sum -= out.len() as i64,
                    6 => sum += (f64::from(n) / $n as f64).sqrt() as i64,
                    _ => out.truncate(16),
                }
            )*
            sum
        }
    };
}
// Not optimised, most values are locals that later blocks read, and a cap bounds blocks times such locals.
#[cfg(debug_assertions)]
big!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
#[cfg(not(debug_assertions))]
big!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48
     49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93);

thread_local! {
    static SEEN: RefCell<HashSet<String>> = RefCell::new(HashSet::new());
}

/// So that the test starts every language's guest alike.
#[no_mangle]
pub extern "C" fn _initialize() {}

#[no_mangle]
pub extern "C" fn work(n: i32) -> i32 {
    let text: Vec<char> = r#"{"name": "Straße", "list": [1, -2.5e3, null, ["ü", {}]], "at": "2024-05-06"}"#.chars().collect();
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Circle(1.5)), Box::new(Square(2.0))];
    let counts: Rc<RefCell<HashMap<char, u32>>> = Rc::default();
    let mut heap = BinaryHeap::new();
    let mut recent = VecDeque::with_capacity(4);
    let mut total = 0i64;
    for i in 0..n {
        let found = match parse(&text, &mut 0) {
            Ok(found) => found,
            Err(_) => return -1,
        };
        let line = format!("{:?} {:>5} {:.3} {}", found, i, shapes[i as usize % shapes.len()].area(), u128::MAX / (i as u128 + 1));
        let upper = line.to_uppercase();
        upper
            .split_whitespace()
            .flat_map(str::chars)
            .filter(|c| c.is_alphabetic())
            .for_each(|c| *counts.borrow_mut().entry(c).or_default() += 1);
        heap.push(upper.len());
        recent.push_back(upper);
        if recent.len() > 3 {
            recent.pop_front();
        }
        let mut written = String::new();
        total = total.wrapping_add(big(i, &mut written));
        SEEN.with(|seen| seen.borrow_mut().insert(written));
    }
    let mut counted: Vec<(char, u32)> = counts.borrow().iter().map(|(c, n)| (*c, *n)).collect();
    counted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    for (place, (c, n)) in counted.iter().enumerate() {
        total = total.wrapping_mul(31).wrapping_add(place as i64 ^ *c as i64 ^ i64::from(*n));
    }
    total += heap.into_sorted_vec().last().copied().unwrap_or(0) as i64 + SEEN.with(|seen| seen.borrow().len()) as i64;
    total += recent.iter().map(String::len).sum::<usize>() as i64;
    if parse(&['?'], &mut 0).map_or_else(|e| e.to_string(), |_| String::new()) != "at 0: Some('?')" {
        return -2;
    }
    (total & 0x7fff_fffe) as i32 + 1
}
