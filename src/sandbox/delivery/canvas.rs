//! Text and lines on a page, as the operators of a content stream (ISO 32000-1, section 9.4).

use std::fmt::Write as _;

/// A4, in points.
pub(super) const WIDTH: f32 = 595.0;
pub(super) const HEIGHT: f32 = 842.0;

/// The two fonts of our pages.
#[derive(Clone, Copy)]
pub(super) enum Font {
    Regular,
    Bold,
}

impl Font {
    /// Its name among the resources of a page.
    fn name(self) -> &'static str {
        match self {
            Self::Regular => "F1",
            Self::Bold => "F2",
        }
    }
}

/// The content of a page.
#[derive(Default)]
pub(super) struct Canvas(Vec<u8>);

impl Canvas {
    /// One line of text, from black (0) to white (1).
    pub(super) fn text(&mut self, (x, y): (f32, f32), font: Font, size: f32, gray: f32, text: &str) {
        let head = format!("BT /G0 cs {gray} sc /{} {size} Tf {x} {y} Td (", font.name());
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend(text.chars().flat_map(escaped));
        self.0.extend_from_slice(b") Tj ET\n");
    }

    /// A filled rectangle.
    pub(super) fn rectangle(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), gray: f32) {
        let mut text = String::new();
        let _ = writeln!(text, "/G0 cs {gray} sc {x} {y} {width} {height} re f");
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A form, placed by a matrix.
    pub(super) fn form(&mut self, matrix: [f32; 6], name: &str) {
        let numbers = matrix.map(|number| number.to_string()).join(" ");
        self.0.extend_from_slice(format!("q {numbers} cm /{name} Do Q\n").as_bytes());
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
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

/// How wide a text is, about: letters outside ASCII are taken for average ones.
pub(super) fn text_width(text: &str, size: f32) -> f32 {
    text.chars().map(|c| f32::from(width(c))).sum::<f32>() * size / 1000.0
}

/// In thousandths of the font's size: classes of letters as wide as those of Helvetica, or a little wider.
fn width(c: char) -> u16 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 240,
        ' ' | '.' | ',' | ':' | ';' | '!' | 'I' | 'f' | 't' | '/' | '\\' | '[' | ']' => 290,
        '(' | ')' | 'r' | '-' | '"' | '`' | '*' => 350,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 510,
        'm' | 'M' | 'W' | '@' => 900,
        'A'..='Z' | '&' | 'w' | '%' | 'Æ' | 'Ø' | 'Å' | 'æ' => 730,
        _ => 570,
    }
}

/// A character in a literal string of a font with WinAnsiEncoding: Latin 1 as it is, some punctuation, the rest as a
/// question mark.
fn escaped(c: char) -> Vec<u8> {
    match c {
        '(' | ')' | '\\' => vec![b'\\', u8::try_from(c).unwrap_or(b'?')],
        ' '..='~' | '\u{A0}'..='\u{FF}' => vec![u8::try_from(c).unwrap_or(b'?')],
        '€' => vec![0x80],
        '…' => vec![0x85],
        '‘' => vec![0x91],
        '’' => vec![0x92],
        '“' => vec![0x93],
        '”' => vec![0x94],
        '•' => vec![0x95],
        '–' => vec![0x96],
        '—' => vec![0x97],
        _ => vec![b'?'],
    }
}
