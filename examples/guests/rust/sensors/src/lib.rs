//! Functions over numbers: a map that passes a column through, vectorised functions, and state per key. examples/guests/go/sensors
//! has the same in Go.

use wasmill::{row, Emit, Key, List, Pass};

row! {
    struct Reading {
        sensor: Pass as "utf8",
        at: Pass as "timestamp[us, UTC]",
        celsius: Option<f64>,
    }
}

row! {
    /// Rated passes sensor and at on as they are: their memory is handed back, not copied.
    struct Rated {
        sensor: Pass,
        at: Pass,
        kelvin: Option<f64>,
        hot: Option<bool>,
    }
}

fn rate(reading: Reading) -> Result<Rated, String> {
    match reading.celsius {
        Some(c) if c < -273.15 => Err(format!("{:.2} °C is below absolute zero", c)),
        c => Ok(Rated { sensor: Pass, at: Pass, kelvin: c.map(|c| c + 273.15), hot: c.map(|c| c >= 30.0) }),
    }
}

/// Works on whole columns.
fn fahrenheit(celsius: &[f64], out: &mut [f64]) {
    for (out, c) in out.iter_mut().zip(celsius) {
        *out = c * 9.0 / 5.0 + 32.0;
    }
}

row! {
    struct Sample<'a> {
        sensor: Option<&'a str>,
        at: Pass as "timestamp[us, UTC]",
        celsius: Option<f64>,
    }
}

row! {
    struct Smoothed<'a> {
        sensor: Option<&'a str>,
        mean: f64,
    }
}

row! {
    /// Average is kept per sensor: the pipeline's key_by says that the key is the sensor.
    #[derive(Default)]
    struct Average {
        mean: f64,
        n: i64,
    }
}

fn smooth<'a>(average: &mut Key<Average>, sample: Sample<'a>, emit: &mut Emit<Smoothed<'a>>) {
    if let Some(celsius) = sample.celsius {
        average.mean = if average.is_new() { celsius } else { 0.75 * average.mean + 0.25 * celsius };
        average.n += 1;
        emit.row(Smoothed { sensor: sample.sensor, mean: average.mean });
    }
}

row! {
    /// Span is what a window has collected: `window: {tumbling: 5m, rows: [celsius], map: median}`.
    struct Span {
        sensor: Pass as "utf8",
        celsius: List<Option<f64>>,
    }
}

row! {
    struct Middle {
        sensor: Pass,
        median: Option<f64>,
    }
}

fn median(span: Span) -> Middle {
    let mut sorted: Vec<f64> = span.celsius.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    Middle { sensor: Pass, median: (n > 0).then(|| (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0) }
}

wasmill::module! {
    "sensors":
    /// kelvin, and whether that is hot
    map rate(Reading) -> Rated;
    /// degrees Fahrenheit
    vector fahrenheit(celsius: f64) -> fahrenheit: f64;
    /// a moving average per sensor
    keyed_map smooth(Average; Sample) -> Smoothed;
    /// the median of a window's readings
    map median(Span) -> Middle;
}
