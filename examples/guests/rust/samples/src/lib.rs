//! Training samples by timer: what a user clicks within ten minutes of being shown it is a positive sample, with the time it took, and what
//! they do not click a negative one. Clicks on what was not shown, or too long ago, go to the side output `unseen`. The pipeline's key_by says
//! that the key is the user. The same in C and Go stands beside it.

use wasmill::{row, Context, Domain, MapState, SideOutput, Timer, ValueState};

row! {
    struct Event {
        user: String,
        item: String,
        kind: String, // show or click
    }
}

row! {
    struct Sample {
        user: String,
        item: String,
        positive: bool,
        after: Option<i64>, // milliseconds from show to click
    }
}

row! {
    struct Click {
        user: String,
        item: String,
    }
}

const PATIENCE: i64 = 10 * 60 * 1000;

wasmill::state! {
    struct Samples {
        user: ValueState<String>,
        shown: MapState<String, i64>, // items, and when they were shown
        unseen: SideOutput<Click>,
    }
}

fn samples(ctx: &mut Context<Sample>, state: &Samples, event: Event) -> Result<(), &'static str> {
    let Event { user, item, kind } = event;
    let at = ctx.time().ok_or("the event has no time")?;
    if kind == "show" {
        state.user.set(user);
        state.shown.put(item, at);
        ctx.set_timer(Domain::EventTime, at + PATIENCE);
    } else if let Some(since) = state.shown.get(item.clone()) {
        state.shown.remove(item.clone());
        ctx.emit(Sample { user, item, positive: true, after: Some(at - since) });
    } else {
        ctx.side(&state.unseen, Click { user, item });
    }
    Ok(())
}

fn forgotten(ctx: &mut Context<Sample>, state: &Samples, timer: Timer) {
    let user = state.user.get().unwrap_or_default();
    for (item, since) in state.shown.entries() {
        if since + PATIENCE > timer.time {
            continue; // shown once more, and its timer is to come
        }
        state.shown.remove(item.clone());
        ctx.emit(Sample { user: user.clone(), item, positive: false, after: None });
    }
}

wasmill::module! {
    "samples":
    /// positive and negative samples
    process samples(Samples; Event) -> Sample, timer forgotten;
}
