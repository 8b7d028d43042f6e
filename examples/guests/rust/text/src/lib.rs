//! Functions over text: a filter, a flat_map, a scalar. examples/guests/go/text has the same in Go.

use wasmill::{row, Emit};

row! {
    struct Line<'a> {
        text: Option<&'a str>,
    }
}

row! {
    struct Word<'a> {
        word: &'a str,
        position: i32,
    }
}

/// Keeps lines of more than 20 bytes.
fn long_line(line: Line) -> bool {
    line.text.map_or(false, |text| text.len() > 20)
}

/// Makes a row of every word.
fn words<'a>(line: Line<'a>, emit: &mut Emit<Word<'a>>) {
    let text = line.text.unwrap_or("");
    for (position, word) in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).enumerate() {
        emit.row(Word { word, position: position as i32 });
    }
}

/// Turns a title into what fits a URL.
fn slug(line: Line) -> Result<Option<String>, String> {
    let text = match line.text {
        Some(text) => text.to_ascii_lowercase(),
        None => return Ok(None),
    };
    let parts: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return Err(format!("no letter or digit in \"{}\"", text));
    }
    Ok(Some(parts.join("-")))
}

wasmill::module! {
    "text":
    /// lines of more than 20 bytes
    filter long_line(Line);
    /// the words of a line
    flat_map words(Line) -> Word;
    /// a title as part of a URL
    scalar slug(Line) -> slug: Option<String>;
}
