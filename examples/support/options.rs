//! Command-line options: `--name value` pairs.

#![allow(dead_code, reason = "each example uses its own part")]

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

/// The options of this process.
pub struct Options(HashMap<String, String>);

impl Options {
    /// Reads the options in `usage`. Prints `usage` and exits if there is an unknown option.
    pub fn read(usage: &str) -> Self {
        let known = |name: &str| name.starts_with("--") && usage.split_whitespace().any(|word| word == name);
        let mut values = HashMap::new();
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            match arguments.next().filter(|_| known(&name)) {
                Some(value) => values.insert(name, value),
                None => {
                    if name != "--help" {
                        eprintln!("{name} is not an option, or has no value\n");
                    }
                    eprintln!("{usage}");
                    std::process::exit(2);
                }
            };
        }
        Self(values)
    }

    /// Whether this option is set.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of a required option.
    pub fn required(&self, name: &str) -> Result<&str, String> {
        self.0.get(name).map(String::as_str).ok_or_else(|| format!("{name} is missing"))
    }

    /// The value of an option, or this default.
    pub fn or<T: FromStr<Err: Display>>(&self, name: &str, default: T) -> Result<T, String> {
        let Some(text) = self.0.get(name) else { return Ok(default) };
        text.parse().map_err(|error| format!("{name}: {error}"))
    }
}
