//! What is printed: lines for people, or one JSON document for programs; and how far a transfer has come, on a terminal.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use posten_signering::Transfer;
use serde_json::{Value, json};

use super::failure::Failure;

/// Where results go.
pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// A result. What cannot be printed because nobody reads any more is nobody's loss.
    pub fn result(&self, text: &str, json: &Value) {
        let mut out = std::io::stdout();
        let _ = match self.json {
            true => writeln!(out, "{json}"),
            false => writeln!(out, "{}", text.trim_end()),
        };
        let _ = out.flush();
    }

    /// What somebody who watches may want to know.
    pub fn note(&self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    pub fn failure(&self, failure: &Failure) {
        match failure {
            // It has said so itself.
            Failure::Found(_) => {}
            failure if self.json => {
                self.result(
                    "",
                    &json!({
                        "error": failure.to_string(),
                        "kind": failure.kind(),
                        "exit_code": failure.exit_code(),
                    }),
                );
            }
            failure => self.note(&format!("signering: {failure}")),
        }
    }

    /// Shows transfers as bars, when there is a terminal and somebody to look at it.
    pub fn progress(&self) -> Option<impl Fn(&Transfer) + Send + Sync + 'static> {
        if self.json || !std::io::stderr().is_terminal() {
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
