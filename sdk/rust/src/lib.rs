//! The SDK for functions over streams in Rust. A guest is a `cdylib` that lists its functions in [`module!`]:
//!
//! ```ignore
//! use wasmill::Pass;
//!
//! wasmill::row! {
//!     struct Flight<'a> {
//!         carrier: Pass as "utf8",
//!         origin: &'a str,
//!         dep_delay: Option<f64>, // None for null
//!     }
//! }
//! wasmill::row! {
//!     struct Enriched {
//!         carrier: Pass, // the input's column, untouched
//!         late: bool,
//!     }
//! }
//!
//! fn enrich(flight: Flight) -> Enriched {
//!     Enriched { carrier: Pass, late: flight.dep_delay.map_or(false, |d| d > 15.0) }
//! }
//!
//! wasmill::module! {
//!     "flights":
//!     /// says who is late
//!     map enrich(Flight) -> Enriched;
//! }
//! ```
//!
//! `cargo build --release --target wasm32-unknown-unknown` builds it, without any other crate. README.md beside this crate has the kinds of
//! function, the types of columns and the rules; the ABI beneath is docs/abi.md.

// Outside of a guest, in `cargo test` of its functions, nobody calls what only the ABI does.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

mod array;
mod batch;
mod column;
mod decimal;
mod describe;
mod fixed;
mod flat;
mod function;
mod host;
mod keyed;
mod list;
mod macros;
mod module;
mod nested;
mod nullable;
mod output;
mod page;
mod pass;
mod process;
mod progress;
mod run;
mod state;
mod text;
mod value;
mod vector;

#[cfg(target_arch = "wasm32")]
mod abi;
#[cfg(target_arch = "wasm32")]
mod panic;

pub use batch::Batch;
pub use column::Column;
pub use decimal::Decimal128;
pub use fixed::{Date, Duration, Time32, Time64, Timestamp};
pub use flat::Emit;
pub use host::{config, deadline, log, metric, Level};
pub use keyed::Key;
pub use list::List;
pub use pass::Pass;
pub use process::{Context, Domain, Timer};
pub use state::{ListState, MapState, SideOutput, ValueState};

/// What the macros' expansions name. It is not for guests, and changes without notice.
#[doc(hidden)]
pub mod rt {
    #[cfg(target_arch = "wasm32")]
    pub use crate::abi::*;
    pub use crate::array::{ArrowArray, ArrowSchema, Step};
    pub use crate::batch::{any_filter, any_map};
    pub use crate::column::Column;
    pub use crate::flat::{flat_map, Emit};
    pub use crate::function::{Done, Function, Input};
    pub use crate::keyed::{keyed_map, Key};
    pub use crate::output::Output;
    pub use crate::process::{process, Context};
    pub use crate::progress::Progress;
    pub use crate::run::{filter, map, scalar, Outcome, Single};
    pub use crate::state::{Declared, Member, Members};
    pub use crate::value::{field, name, Field, Layout, Read, ReadRow, Row, Unreadable, Value, Write, WriteRow};
    pub use crate::vector::{finish_vector, slice, Number};
}
