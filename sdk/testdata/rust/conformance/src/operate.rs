//! The process function that the conformance kit asks for: it does what its rows say.

use wasmill::{Context, Domain, ListState, MapState, SideOutput, Timer, ValueState};

wasmill::row! {
    pub struct Order<'a> {
        op: &'a str,
        key: &'a str,
        n: Option<i64>,
    }
}
wasmill::row! { pub struct Line { text: String } }
wasmill::row! { pub struct Odd { n: i64 } }
wasmill::row! { pub struct Word { word: String, n: i64 } }
wasmill::state! {
    pub struct Operate {
        last: ValueState<i64>,
        #[ttl = "1s"]
        brief: ValueState<i64>,
        sum: ValueState<i64>,
        list: ListState<i64>,
        map: MapState<String, i64>,
        odd: SideOutput<Odd>,
        words: SideOutput<Word>,
    }
}

fn shown(n: Option<i64>) -> String {
    n.map_or("none".to_string(), |n| n.to_string())
}

pub fn operate(ctx: &mut Context<Line>, state: &Operate, order: Order) -> Result<(), &'static str> {
    let n = order.n.unwrap_or(0);
    let domain = if order.key == "processing" { Domain::ProcessingTime } else { Domain::EventTime };
    let text = match order.op {
        "last" | "brief" => {
            let value = if order.op == "last" { &state.last } else { &state.brief };
            let before = value.get();
            match order.n {
                Some(n) => value.set(n),
                None => value.clear(),
            }
            format!("{} {}", order.op, shown(before))
        }
        "sum" => {
            state.sum.reduce(n, |a, b| a + b);
            format!("sum {}", shown(state.sum.get()))
        }
        "add" => return Ok(state.list.add(n)),
        "update" => return Ok(state.list.update([n, n + 1])),
        "list" => state.list.get().iter().fold("list".to_string(), |text, n| format!("{} {}", text, n)),
        "clear" => {
            state.list.clear();
            return Ok(state.map.clear());
        }
        "put" => return Ok(state.map.put(order.key.to_string(), n)),
        "get" => format!("get {}", shown(state.map.get(order.key.to_string()))),
        "remove" => return Ok(state.map.remove(order.key.to_string())),
        "fill" => return Ok((0..n).for_each(|i| state.map.put(format!("{}{}", order.key, 100000 + i), i))),
        "entries" => state.map.entries().iter().fold("entries".to_string(), |text, (k, v)| format!("{} {}={}", text, k, v)),
        "sum entries" => {
            let entries = state.map.entries();
            format!("entries {} {}", entries.len(), entries.iter().map(|e| e.1).sum::<i64>())
        }
        "set" => return Ok(ctx.set_timer(domain, n)),
        "delete" => return Ok(ctx.delete_timer(domain, n)),
        "clock" => format!("time {} watermark {} now {}", shown(ctx.time()), ctx.watermark(), ctx.now()),
        "aside" => {
            if n % 2 != 0 {
                ctx.side(&state.odd, Odd { n });
            }
            return Ok(ctx.side(&state.words, Word { word: order.key.to_string(), n }));
        }
        "flood" => {
            for n in 0..n {
                ctx.emit(Line { text: "x".to_string() });
                ctx.side(&state.odd, Odd { n });
            }
            return Ok(());
        }
        _ => return Err("as asked"),
    };
    ctx.emit(Line { text });
    Ok(())
}

pub fn fired(ctx: &mut Context<Line>, state: &Operate, timer: Timer) -> Result<(), String> {
    let name = if timer.domain == Domain::EventTime { "event" } else { "processing" };
    ctx.emit(Line { text: format!("{} {}", name, timer.time) });
    state.list.add(timer.time);
    match state.last.get() {
        Some(last) if state.list.get().contains(&last) => return Err(format!("the timer of {}", last)),
        _ => (),
    }
    ctx.side(&state.words, Word { word: name.to_string(), n: timer.time });
    if timer.domain == Domain::ProcessingTime {
        ctx.set_timer(Domain::EventTime, timer.time + 10);
    }
    Ok(())
}
