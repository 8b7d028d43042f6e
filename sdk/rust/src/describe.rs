use crate::function::Function;
use crate::value::Field;

/// The description of a module, as JSON.
pub(crate) fn describe(name: &str, functions: &[Function]) -> String {
    let timed = functions.iter().any(|f| f.process.is_some());
    let functions: Vec<String> = functions.iter().map(function).collect();
    let minor = if timed { "\"minor\": 1, " } else { "" };
    format!("{{\"abi\": 1, {}\"name\": {}, \"functions\": [\n{}\n]}}", minor, quote(name), functions.join(",\n"))
}

fn function(f: &Function) -> String {
    let mut text = format!("{{\"name\": {}, \"kind\": {}", quote(f.name), quote(f.kind));
    if !f.doc.is_empty() {
        text += &format!(", \"doc\": {}", quote(&f.doc));
    }
    row(&mut text, "in", &f.input, Field::declared);
    if f.kind != "filter" {
        row(&mut text, "out", &f.output, Field::declared);
    }
    row(&mut text, "state", &f.state, |field| field.arrow.clone());
    if let Some(declared) = &f.process {
        let states = declared.states.iter().map(|s| {
            let ttl = if s.ttl.is_empty() { String::new() } else { format!(", \"ttl\": {}", quote(s.ttl)) };
            format!("{{\"name\": {}, \"kind\": {}, \"type\": {}{}}}", quote(s.name), quote(s.kind), quote(&s.arrow), ttl)
        });
        text += &format!(", \"state\": [{}]", states.collect::<Vec<_>>().join(", "));
        let sides = declared.sides.iter().map(|(tag, fields)| {
            let mut side = format!("{{\"tag\": {}", quote(tag));
            row(&mut side, "out", &Some(fields.clone()), Field::declared);
            side + "}"
        });
        text += &format!(", \"sides\": [{}]", sides.collect::<Vec<_>>().join(", "));
    }
    text + "}"
}

fn row(text: &mut String, member: &str, fields: &Option<Vec<Field>>, declared: fn(&Field) -> String) {
    if let Some(fields) = fields {
        let columns = fields.iter().map(|f| format!("{{\"name\": {}, \"type\": {}}}", quote(&f.name), quote(&declared(f))));
        *text += &format!(", \"{}\": [{}]", member, columns.collect::<Vec<_>>().join(", "));
    }
}

/// Writes a JSON string.
fn quote(s: &str) -> String {
    let mut text = String::from("\"");
    for c in s.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c < ' ' => text += &format!("\\u{:04x}", c as u32),
            c => text.push(c),
        }
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    #[test]
    fn json_strings() {
        assert_eq!(super::quote("a \"b\" \\ \n ü"), "\"a \\\"b\\\" \\\\ \\u000a ü\"");
    }
}
