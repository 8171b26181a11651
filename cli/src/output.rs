//! The output: text or JSON documents, and the progress of transfers on a terminal.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use posten_signering::{Error, Transfer};
use serde_json::{Value, json};

use super::failure::{Failure, with_causes};

/// The output of results.
pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result, and returns when it is written. The text may have several lines: untrusted values must be
    /// escaped by [`plain`].
    ///
    /// Fails if standard output cannot be written, so that no change is confirmed whose result is lost.
    pub fn result(&self, text: &str, json: &Value) -> Result<(), Failure> {
        self.print(text, json).map_err(|error| Failure::Unprinted { error, done: None })
    }

    fn print(&self, text: &str, json: &Value) -> io::Result<()> {
        let line = match self.json {
            true => harmless(&json.to_string(), in_json),
            false => harmless(text.trim_end(), in_text),
        };
        print(line.as_bytes())?;
        print(b"\n")
    }

    /// Prints a note of one line to standard error, unless the output is JSON.
    pub fn note(&self, text: &str) {
        if !self.json {
            let _ = writeln!(io::stderr(), "{}", plain(text));
        }
    }

    /// An error after which the command goes on, on standard error: standard output is for results alone.
    pub fn transient(&self, error: &Error) {
        if !self.json {
            return self.note(&with_causes(error));
        }
        let json = json!({ "error": with_causes(error), "kind": error.kind(), "transient": true });
        let _ = writeln!(io::stderr(), "{}", harmless(&json.to_string(), in_json));
    }

    pub fn failure(&self, failure: &Failure) {
        match failure {
            // `check` has printed it.
            Failure::CheckFailed(_) => {}
            failure if self.json => {
                let json = json!({
                    "error": failure.to_string(),
                    "kind": failure.kind(),
                    "exit_code": failure.exit_code(),
                });
                if self.print("", &json).is_err() {
                    let _ = writeln!(io::stderr(), "{}", harmless(&json.to_string(), in_json));
                }
            }
            failure => self.note(&format!("signering: {failure}")),
        }
    }

    /// Shows the progress of transfers, if standard error is a terminal and the output is not JSON.
    pub fn progress(&self) -> Option<impl Fn(&Transfer) + Send + Sync + 'static> {
        if self.json || !io::stderr().is_terminal() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Some(move |transfer: &Transfer| {
            if transfer.bytes == 0 {
                bar.reset();
                let template = match transfer.total {
                    Some(_) => "{prefix} [{bar:30}] {bytes}/{total_bytes}",
                    None => "{prefix} {bytes} {spinner}",
                };
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style.progress_chars("=> "));
                }
                bar.set_prefix(if transfer.is_upload { "upload  " } else { "download" });
                bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            if let Some(total) = transfer.total {
                bar.set_length(total);
            }
            bar.set_position(transfer.bytes);
            if transfer.total == Some(transfer.bytes) {
                bar.abandon();
            }
        })
    }
}

/// Writes to standard output, and waits until it is written.
pub fn print(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Escapes a value for a line of text: control characters of terminals, and characters that would start another line or
/// column and look like output of this program. The service, a package or a file name may contain them.
pub fn plain(value: impl fmt::Display) -> String {
    value.to_string().chars().map(|c| if acts(c) || c.is_control() { in_text(c) } else { c.to_string() }).collect()
}

/// Escapes the characters that control a terminal.
fn harmless(text: &str, written: fn(char) -> String) -> String {
    text.chars().map(|c| if acts(c) { written(c) } else { c.to_string() }).collect()
}

/// Whether a character controls a terminal: control characters, with which escape sequences begin, and those that
/// change the direction of writing, so that a name looks like another.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn in_text(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        c => c.escape_unicode().to_string(),
    }
}

/// The escape of a character in a JSON string, the only place where such characters can be.
fn in_json(c: char) -> String {
    format!("\\u{:04x}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_in_its_line() {
        assert_eq!(plain("Avtale æ 1"), "Avtale æ 1");
        assert_eq!(
            plain("a\nb\tc\r\u{1b}[2J\u{85}\u{202e}\u{2028}"),
            "a\\nb\\tc\\r\\u{1b}[2J\\u{85}\\u{202e}\\u{2028}"
        );
    }
}
