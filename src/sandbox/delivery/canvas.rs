//! Text and lines on a page, as the operators of a content stream (ISO 32000-1, section 9.4).

use std::fmt::Write as _;

use super::font::{Font, Used};
use super::glyphs::{Glyph, code};

/// A4, in points.
pub(super) const WIDTH: f32 = 595.0;
pub(super) const HEIGHT: f32 = 842.0;

/// The content of a page.
#[derive(Default)]
pub(super) struct Canvas {
    content: Vec<u8>,
    used: Used,
}

impl Canvas {
    /// One line of text, from black (0) to white (1).
    pub(super) fn text(&mut self, (x, y): (f32, f32), font: Font, size: f32, gray: f32, text: &str) {
        let codes: Vec<u8> = text.chars().map(encoded).collect();
        self.used.add(font, &codes);
        // Letters are drawn by lines: both colors, for readers that take the one or the other.
        let head = format!("BT /G0 CS {gray} SC /G0 cs {gray} sc /{} {size} Tf {x} {y} Td (", font.name());
        self.content.extend_from_slice(head.as_bytes());
        self.content.extend(codes.into_iter().flat_map(escaped));
        self.content.extend_from_slice(b") Tj ET\n");
    }

    /// A filled rectangle.
    pub(super) fn rectangle(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), gray: f32) {
        let mut text = String::new();
        let _ = writeln!(text, "/G0 cs {gray} sc {x} {y} {width} {height} re f");
        self.content.extend_from_slice(text.as_bytes());
    }

    /// A form, placed by a matrix.
    pub(super) fn form(&mut self, matrix: [f32; 6], name: &str) {
        let numbers = matrix.map(|number| number.to_string()).join(" ");
        self.content.extend_from_slice(format!("q {numbers} cm /{name} Do Q\n").as_bytes());
    }

    /// The operators, and the letters that they need.
    pub(super) fn finish(self) -> (Vec<u8>, Used) {
        (self.content, self.used)
    }
}

/// The text in lines of at most this width.
pub(super) fn wrapped(text: &str, size: f32, width: f32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut word = word.to_owned();
        loop {
            let line = lines.last_mut().expect("there is always one");
            let longer = if line.is_empty() { word.clone() } else { format!("{line} {word}") };
            if text_width(&longer, size) <= width {
                *line = longer;
                break;
            }
            if !line.is_empty() {
                lines.push(String::new());
                continue;
            }
            // A word that is longer than a line is cut.
            let fits = (1..word.chars().count())
                .rev()
                .find(|count| text_width(&word.chars().take(*count).collect::<String>(), size) <= width);
            let count = fits.unwrap_or(1);
            *line = word.chars().take(count).collect();
            word = word.chars().skip(count).collect();
            if word.is_empty() {
                break;
            }
            lines.push(String::new());
        }
    }
    lines
}

/// How wide a text is.
pub(super) fn text_width(text: &str, size: f32) -> f32 {
    let width = |c| Glyph::of(encoded(c)).map_or(0, |glyph| glyph.width);
    text.chars().map(|c| f32::from(width(c))).sum::<f32>() * size / 100.0
}

/// The code of a character, or of a question mark for one that the fonts lack.
fn encoded(c: char) -> u8 {
    code(c).unwrap_or(b'?')
}

/// A code in a literal string.
fn escaped(code: u8) -> impl Iterator<Item = u8> {
    matches!(code, b'(' | b')' | b'\\').then_some(b'\\').into_iter().chain([code])
}
