//! The letters of our pages: lines of one width, drawn for the sandbox.
//!
//! They are procedures of a Type 3 font, which is in the file by its nature: an archival file (PDF/A) must not count on
//! the fonts of its readers.

use std::fmt::Write as _;

/// How a letter is drawn.
pub(super) struct Glyph {
    /// The distance to the next letter, in hundredths of the font's size.
    pub(super) width: u16,
    /// Steps in the same unit: `m X Y` moves, `l X Y` draws a line, and `h X Y` and `v X Y` draw a quarter of an
    /// ellipse that begins horizontally or vertically.
    steps: &'static str,
    /// A letter is drawn with a second part over it, moved by so much.
    accent: Option<(&'static str, [f32; 2])>,
}

impl Glyph {
    /// The letter of a code. `None`: there is none.
    pub(super) fn of(code: u8) -> Option<Self> {
        let c = character(code)?;
        if let Some((width, steps)) = drawn(c) {
            return Some(Self { width, steps, accent: None });
        }
        let (_, base, accent) = ACCENTED.iter().find(|(accented, ..)| *accented == c)?;
        let (width, steps) = drawn(*base)?;
        let (_, accent) = drawn(*accent)?;
        // Accents are drawn over lower-case letters that are 30 wide.
        let right = (f32::from(width) - 30.0) / 2.0;
        let up = if base.is_uppercase() && c.to_lowercase().next() != Some('ç') { 20.0 } else { 0.0 };
        Some(Self { width, steps, accent: Some((accent, [right, up])) })
    }

    /// The procedure that draws it with a pen so wide (ISO 32000-1, section 9.6.5), in thousandths of the font's size.
    pub(super) fn procedure(&self, pen: u16) -> Vec<u8> {
        let width = self.width * 10;
        let mut text = format!("{width} 0 -100 -300 {} 1000 d1\n{pen} w 1 J 1 j\n", width + 100);
        draw(&mut text, self.steps, [0.0, 0.0]);
        if let Some((accent, by)) = self.accent {
            draw(&mut text, accent, by);
        }
        text.push('S');
        text.into_bytes()
    }
}

/// Steps as operators of a content stream.
fn draw(text: &mut String, steps: &str, [right, up]: [f32; 2]) {
    /// The distance of the control points of a quarter of an ellipse from its ends.
    const ROUND: f32 = 0.5523;
    let mut words = steps.split_whitespace();
    let mut from = [0.0, 0.0];
    while let Some(step) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse::<f32>().ok()).unwrap_or_default();
        let to = [(number() + right) * 10.0, (number() + up) * 10.0];
        let ([x, y], [across, high]) = (to, [to[0] - from[0], to[1] - from[1]]);
        let curve = match step {
            "h" => Some([from[0] + across * ROUND, from[1], x, y - high * ROUND]),
            "v" => Some([from[0], from[1] + high * ROUND, x - across * ROUND, y]),
            _ => None,
        };
        let _ = match curve {
            Some([a, b, c, d]) => writeln!(text, "{a:.0} {b:.0} {c:.0} {d:.0} {x:.0} {y:.0} c"),
            None => writeln!(text, "{x:.0} {y:.0} {step}"),
        };
        from = to;
    }
}

/// The code of a character: Latin 1 as it is, some punctuation in between (`WinAnsiEncoding`).
pub(super) fn code(c: char) -> Option<u8> {
    match c {
        ' '..='~' | '\u{A0}'..='\u{FF}' => u8::try_from(c).ok(),
        _ => PUNCTUATION.iter().find(|(_, other)| *other == c).map(|(code, _)| *code),
    }
}

/// The character of a code.
pub(super) fn character(code: u8) -> Option<char> {
    match code {
        0x20..=0x7E | 0xA0..=0xFF => Some(char::from(code)),
        _ => PUNCTUATION.iter().find(|(other, _)| *other == code).map(|(_, c)| *c),
    }
}

const PUNCTUATION: [(u8, char); 9] = [
    (0x80, '€'),
    (0x85, '…'),
    (0x91, '‘'),
    (0x92, '’'),
    (0x93, '“'),
    (0x94, '”'),
    (0x95, '•'),
    (0x96, '–'),
    (0x97, '—'),
];

/// A letter, the letter below, and the accent. Over an i it takes the place of the dot.
const ACCENTED: [(char, char, char); 53] = [
    ('À', 'A', '`'),
    ('Á', 'A', '´'),
    ('Â', 'A', '\u{302}'),
    ('Ã', 'A', '\u{303}'),
    ('Ä', 'A', '¨'),
    ('Å', 'A', '\u{30A}'),
    ('Ç', 'C', '¸'),
    ('È', 'E', '`'),
    ('É', 'E', '´'),
    ('Ê', 'E', '\u{302}'),
    ('Ë', 'E', '¨'),
    ('Ì', 'I', '`'),
    ('Í', 'I', '´'),
    ('Î', 'I', '\u{302}'),
    ('Ï', 'I', '¨'),
    ('Ñ', 'N', '\u{303}'),
    ('Ò', 'O', '`'),
    ('Ó', 'O', '´'),
    ('Ô', 'O', '\u{302}'),
    ('Õ', 'O', '\u{303}'),
    ('Ö', 'O', '¨'),
    ('Ù', 'U', '`'),
    ('Ú', 'U', '´'),
    ('Û', 'U', '\u{302}'),
    ('Ü', 'U', '¨'),
    ('Ý', 'Y', '´'),
    ('à', 'a', '`'),
    ('á', 'a', '´'),
    ('â', 'a', '\u{302}'),
    ('ã', 'a', '\u{303}'),
    ('ä', 'a', '¨'),
    ('å', 'a', '\u{30A}'),
    ('ç', 'c', '¸'),
    ('è', 'e', '`'),
    ('é', 'e', '´'),
    ('ê', 'e', '\u{302}'),
    ('ë', 'e', '¨'),
    ('ì', 'ı', '`'),
    ('í', 'ı', '´'),
    ('î', 'ı', '\u{302}'),
    ('ï', 'ı', '¨'),
    ('ñ', 'n', '\u{303}'),
    ('ò', 'o', '`'),
    ('ó', 'o', '´'),
    ('ô', 'o', '\u{302}'),
    ('õ', 'o', '\u{303}'),
    ('ö', 'o', '¨'),
    ('ù', 'u', '`'),
    ('ú', 'u', '´'),
    ('û', 'u', '\u{302}'),
    ('ü', 'u', '¨'),
    ('ý', 'y', '´'),
    ('ÿ', 'y', '¨'),
];

/// Width and steps of what has no accent: capitals are 70 high, small letters 50.
#[rustfmt::skip]
fn drawn(c: char) -> Option<(u16, &'static str)> {
    Some(match c {
        ' ' | '\u{A0}' => (27, ""),
        'A' => (60, "m 5 0 l 30 70 l 55 0 m 14 24 l 46 24"),
        'B' => (58, "m 30 36 l 9 36 m 9 0 l 9 70 l 30 70 h 45 53 v 30 36 l 33 36 h 50 18 v 33 0 l 9 0"),
        'C' => (62, "m 55 52 v 33 70 h 7 35 v 33 0 h 55 18"),
        'D' => (64, "m 9 0 l 9 70 l 28 70 h 57 35 v 28 0 l 9 0"),
        'E' => (52, "m 47 70 l 9 70 l 9 0 l 47 0 m 9 36 l 43 36"),
        'F' => (50, "m 46 70 l 9 70 l 9 0 m 9 36 l 42 36"),
        'G' => (66, "m 56 53 v 34 70 h 7 35 v 34 0 h 57 20 l 57 33 l 37 33"),
        'H' => (64, "m 9 0 l 9 70 m 55 0 l 55 70 m 9 36 l 55 36"),
        'I' => (20, "m 10 0 l 10 70"),
        'J' => (44, "m 35 70 l 35 18 v 20 0 h 5 15"),
        'K' => (58, "m 9 0 l 9 70 m 52 70 l 9 28 m 24 42 l 54 0"),
        'L' => (48, "m 9 70 l 9 0 l 44 0"),
        'M' => (74, "m 9 0 l 9 70 l 37 18 l 65 70 l 65 0"),
        'N' => (66, "m 9 0 l 9 70 l 57 0 l 57 70"),
        'O' => (70, "m 35 0 h 63 35 v 35 70 h 7 35 v 35 0"),
        'P' => (54, "m 9 0 l 9 70 l 31 70 h 49 51 v 31 32 l 9 32"),
        'Q' => (70, "m 35 0 h 63 35 v 35 70 h 7 35 v 35 0 m 42 16 l 60 -5"),
        'R' => (58, "m 9 0 l 9 70 l 31 70 h 49 51 v 31 32 l 9 32 m 30 32 l 52 0"),
        'S' => (56, "m 48 56 v 28 70 h 8 53 v 28 36 h 49 18 v 28 0 h 7 14"),
        'T' => (54, "m 4 70 l 50 70 m 27 70 l 27 0"),
        'U' => (64, "m 9 70 l 9 24 v 32 0 h 55 24 l 55 70"),
        'V' => (58, "m 4 70 l 29 0 l 54 70"),
        'W' => (84, "m 4 70 l 22 0 l 42 60 l 62 0 l 80 70"),
        'X' => (58, "m 6 70 l 52 0 m 52 70 l 6 0"),
        'Y' => (56, "m 4 70 l 28 34 l 52 70 m 28 34 l 28 0"),
        'Z' => (56, "m 7 70 l 50 70 l 6 0 l 51 0"),
        'a' => (50, "m 10 42 v 25 50 h 41 35 l 41 0 m 41 28 l 23 28 h 7 14 v 22 0 h 41 18"),
        'b' => (54, "m 8 70 l 8 0 m 8 25 v 27 50 h 47 25 v 27 0 h 8 25"),
        'c' => (46, "m 41 37 v 26 50 h 7 25 v 26 0 h 41 13"),
        'd' => (54, "m 46 70 l 46 0 m 46 25 v 27 50 h 7 25 v 27 0 h 46 25"),
        'e' => (52, "m 7 26 l 45 26 v 27 50 h 7 25 v 28 0 h 44 11"),
        'f' => (30, "m 28 70 l 25 70 h 13 58 l 13 0 m 4 50 l 27 50"),
        'g' => (54, "m 46 50 l 46 -2 v 27 -20 h 10 -10 m 46 25 v 27 50 h 7 25 v 27 0 h 46 25"),
        'h' => (52, "m 8 70 l 8 0 m 8 30 v 27 50 h 44 31 l 44 0"),
        'i' => (18, "m 9 50 l 9 0 m 9 66 l 9 68"),
        'ı' => (18, "m 9 50 l 9 0"),
        'j' => (20, "m 11 50 l 11 -8 v 0 -20 l -2 -20 m 11 66 l 11 68"),
        'k' => (48, "m 8 70 l 8 0 m 42 50 l 8 19 m 20 30 l 44 0"),
        'l' => (18, "m 9 70 l 9 0"),
        'm' => (78, "m 8 50 l 8 0 m 8 32 v 24 50 h 39 33 l 39 0 m 39 32 v 55 50 h 70 33 l 70 0"),
        'n' => (52, "m 8 50 l 8 0 m 8 30 v 27 50 h 44 31 l 44 0"),
        'o' => (54, "m 27 0 h 47 25 v 27 50 h 7 25 v 27 0"),
        'p' => (54, "m 8 50 l 8 -20 m 8 25 v 27 50 h 47 25 v 27 0 h 8 25"),
        'q' => (54, "m 46 50 l 46 -20 m 46 25 v 27 50 h 7 25 v 27 0 h 46 25"),
        'r' => (33, "m 8 50 l 8 0 m 8 30 v 25 50 l 30 50"),
        's' => (44, "m 37 40 v 22 50 h 8 38 v 22 26 h 38 13 v 22 0 h 6 10"),
        't' => (32, "m 14 64 l 14 12 v 25 0 l 28 0 m 4 50 l 27 50"),
        'u' => (52, "m 8 50 l 8 19 v 25 0 h 44 20 m 44 50 l 44 0"),
        'v' => (46, "m 4 50 l 23 0 l 42 50"),
        'w' => (68, "m 4 50 l 18 0 l 34 44 l 50 0 l 64 50"),
        'x' => (46, "m 5 50 l 41 0 m 41 50 l 5 0"),
        'y' => (46, "m 4 50 l 24 0 m 43 50 l 19 -16 l 14 -20 l 7 -20"),
        'z' => (44, "m 6 50 l 37 50 l 6 0 l 38 0"),
        '0' => (56, "m 28 0 h 49 35 v 28 70 h 7 35 v 28 0"),
        '1' => (56, "m 14 57 l 31 70 l 31 0"),
        '2' => (56, "m 9 53 v 28 70 h 47 52 l 44 41 l 8 0 l 49 0"),
        '3' => (56, "m 9 57 v 27 70 h 46 54 v 27 38 l 20 38 m 27 38 h 48 19 v 27 0 h 7 14"),
        '4' => (56, "m 39 0 l 39 70 l 6 20 l 51 20"),
        '5' => (56, "m 46 70 l 13 70 l 10 37 v 28 45 h 49 23 v 28 0 h 7 13"),
        '6' => (56, "m 46 58 v 30 70 h 8 27 v 28 0 h 49 22 v 28 44 h 8 22"),
        '7' => (56, "m 7 70 l 49 70 l 22 0"),
        '8' => (56, "m 28 38 h 46 54 v 28 70 h 10 54 v 28 38 h 49 19 v 28 0 h 7 19 v 28 38"),
        '9' => (56, "m 10 12 v 26 0 h 48 43 v 28 70 h 7 48 v 28 26 h 48 48"),
        '!' => (22, "m 11 70 l 11 20 m 11 0 l 11 2"),
        '"' => (32, "m 10 70 l 10 52 m 22 70 l 22 52"),
        '#' => (60, "m 18 0 l 26 70 m 36 0 l 44 70 m 7 46 l 55 46 m 5 24 l 53 24"),
        '$' => (56, "m 48 56 v 28 70 h 8 53 v 28 36 h 49 18 v 28 0 h 7 14 m 28 80 l 28 -10"),
        '%' => (80, "m 20 36 h 32 53 v 20 70 h 8 53 v 20 36 m 60 0 h 72 17 v 60 34 h 48 17 v 60 0 m 60 70 l 20 0"),
        '&' => (66, "m 58 0 l 21 45 l 17 56 v 30 70 h 43 57 l 38 46 l 13 31 l 8 18 v 26 0 h 54 30"),
        '\'' => (18, "m 9 70 l 9 52"),
        '(' => (28, "m 22 78 l 13 60 l 9 40 l 9 22 l 13 2 l 22 -16"),
        ')' => (28, "m 6 78 l 15 60 l 19 40 l 19 22 l 15 2 l 6 -16"),
        '*' => (40, "m 20 70 l 20 40 m 7 62 l 33 48 m 33 62 l 7 48"),
        '+' => (56, "m 28 10 l 28 52 m 7 31 l 49 31"),
        ',' => (22, "m 12 2 l 7 -12"),
        '-' | '\u{AD}' => (36, "m 6 28 l 30 28"),
        '.' => (22, "m 11 0 l 11 2"),
        '/' => (38, "m 5 -10 l 33 76"),
        ':' => (22, "m 11 0 l 11 2 m 11 42 l 11 44"),
        ';' => (22, "m 12 2 l 7 -12 m 12 42 l 12 44"),
        '<' => (56, "m 48 54 l 8 31 l 48 8"),
        '=' => (56, "m 7 40 l 49 40 m 7 22 l 49 22"),
        '>' => (56, "m 8 54 l 48 31 l 8 8"),
        '?' => (48, "m 7 54 v 24 70 h 42 53 l 39 44 l 24 30 l 24 19 m 24 0 l 24 2"),
        '@' => (
            90,
            "m 60 46 l 60 24 v 68 14 h 82 32 v 45 70 h 8 30 v 45 -12 l 58 -12 \
             m 60 30 v 45 46 h 29 30 v 45 14 h 60 30",
        ),
        '[' => (28, "m 22 76 l 9 76 l 9 -14 l 22 -14"),
        '\\' => (38, "m 5 76 l 33 -10"),
        ']' => (28, "m 6 76 l 19 76 l 19 -14 l 6 -14"),
        '^' => (50, "m 8 44 l 25 70 l 42 44"),
        '_' => (50, "m 0 -12 l 50 -12"),
        '`' => (30, "m 8 70 l 18 59"),
        '{' => (32, "m 26 76 h 15 64 l 15 42 l 8 31 l 15 20 l 15 -2 v 26 -14"),
        '|' => (20, "m 10 78 l 10 -16"),
        '}' => (32, "m 6 76 h 17 64 l 17 42 l 24 31 l 17 20 l 17 -2 v 6 -14"),
        '~' => (58, "m 8 25 l 15 35 l 24 35 l 34 26 l 43 26 l 50 36"),
        '€' => (58, "m 54 56 v 36 70 h 14 35 v 36 0 h 54 14 m 5 42 l 44 42 m 5 28 l 42 28"),
        '…' => (66, "m 11 0 l 11 2 m 33 0 l 33 2 m 55 0 l 55 2"),
        '‘' => (20, "m 12 72 l 8 58"),
        '’' => (20, "m 12 72 l 8 58"),
        '“' => (34, "m 12 72 l 8 58 m 26 72 l 22 58"),
        '”' => (34, "m 12 72 l 8 58 m 26 72 l 22 58"),
        '•' => (36, "m 18 27 h 22 31 v 18 35 h 14 31 v 18 27"),
        '–' => (50, "m 5 28 l 45 28"),
        '—' => (84, "m 5 28 l 79 28"),
        '¡' => (22, "m 11 50 l 11 48 m 11 30 l 11 -20"),
        '¢' => (46, "m 41 37 v 26 50 h 7 25 v 26 0 h 41 13 m 26 60 l 26 -10"),
        '£' => (54, "m 47 56 v 32 70 h 18 54 l 18 16 l 8 0 l 48 0 m 8 34 l 38 34"),
        '¤' => (
            56,
            "m 28 16 h 43 31 v 28 46 h 13 31 v 28 16 m 8 11 l 17 20 \
             m 48 11 l 39 20 m 8 51 l 17 42 m 48 51 l 39 42",
        ),
        '¥' => (56, "m 4 70 l 28 34 l 52 70 m 28 34 l 28 0 m 11 30 l 45 30 m 11 15 l 45 15"),
        '¦' => (20, "m 10 76 l 10 42 m 10 20 l 10 -14"),
        '§' => (48, "m 39 60 v 24 70 h 9 58 v 24 45 h 40 30 v 24 16 m 24 45 h 9 30 v 24 16 h 39 2 v 24 -10 h 9 0"),
        '¨' => (30, "m 6 64 l 6 66 m 24 64 l 24 66"),
        '©' => (74, "m 37 0 h 71 35 v 37 70 h 3 35 v 37 0 m 50 44 v 38 53 h 23 35 v 38 17 h 50 26"),
        'ª' => (34, "m 28 70 l 28 42 m 28 56 v 17 70 h 5 56 v 17 42 h 28 56"),
        '«' => (46, "m 22 44 l 8 25 l 22 6 m 38 44 l 24 25 l 38 6"),
        '¬' => (56, "m 7 38 l 49 38 l 49 20"),
        '®' => (
            74,
            "m 37 0 h 71 35 v 37 70 h 3 35 v 37 0 \
             m 28 18 l 28 52 l 40 52 h 49 44 v 40 36 l 28 36 m 39 36 l 49 18",
        ),
        '¯' => (30, "m 4 66 l 26 66"),
        '°' => (34, "m 17 44 h 29 57 v 17 70 h 5 57 v 17 44"),
        '±' => (56, "m 28 16 l 28 56 m 8 36 l 48 36 m 8 2 l 48 2"),
        '²' => (32, "m 5 61 v 16 70 h 27 60 l 25 54 l 5 34 l 28 34"),
        '³' => (32, "m 5 64 v 16 70 h 26 61 v 16 53 h 27 43 v 16 34 h 4 41"),
        '´' => (30, "m 22 70 l 12 59"),
        'µ' => (52, "m 8 50 l 8 -20 m 8 19 v 25 0 h 44 20 m 44 50 l 44 0"),
        '¶' => (52, "m 44 -14 l 44 70 l 24 70 h 7 53 v 24 36 l 30 36 m 30 70 l 30 -14"),
        '·' => (22, "m 11 29 l 11 31"),
        '¸' => (30, "m 15 0 l 14 -8 l 20 -13 l 10 -19"),
        '¹' => (28, "m 7 62 l 16 70 l 16 34"),
        'º' => (34, "m 17 42 h 29 56 v 17 70 h 5 56 v 17 42"),
        '»' => (46, "m 8 44 l 22 25 l 8 6 m 24 44 l 38 25 l 24 6"),
        '¼' => (78, "m 7 62 l 16 70 l 16 34 m 58 70 l 20 0 m 66 0 l 66 36 l 46 11 l 72 11"),
        '½' => (78, "m 7 62 l 16 70 l 16 34 m 58 70 l 20 0 m 48 27 v 59 36 h 70 26 l 68 20 l 48 0 l 72 0"),
        '¾' => (
            78,
            "m 5 64 v 16 70 h 26 61 v 16 53 h 27 43 v 16 34 h 4 41 \
             m 60 70 l 22 0 m 66 0 l 66 36 l 46 11 l 72 11",
        ),
        '¿' => (48, "m 41 -4 v 24 -20 h 6 -3 l 9 6 l 24 20 l 24 31 m 24 50 l 24 48"),
        'Æ' => (84, "m 4 0 l 36 70 l 78 70 m 44 70 l 44 0 l 80 0 m 44 36 l 74 36 m 15 24 l 44 24"),
        'Ø' => (70, "m 35 0 h 63 35 v 35 70 h 7 35 v 35 0 m 9 -3 l 61 73"),
        'æ' => (
            84,
            "m 10 42 v 25 50 h 41 34 m 41 28 l 23 28 h 7 14 v 22 0 h 41 18 \
             m 41 26 l 77 26 v 59 50 h 41 25 v 60 0 h 76 11",
        ),
        'ø' => (54, "m 27 0 h 47 25 v 27 50 h 7 25 v 27 0 m 8 -3 l 46 53"),
        'ß' => (54, "m 8 0 l 8 52 v 26 70 h 43 55 v 28 39 h 48 20 v 28 0 l 20 0"),
        'Ð' => (64, "m 9 0 l 9 70 l 28 70 h 57 35 v 28 0 l 9 0 m 2 36 l 30 36"),
        'ð' => (54, "m 27 0 h 47 22 v 27 44 h 7 22 v 27 0 m 47 22 v 20 72 m 16 56 l 40 68"),
        'Þ' => (54, "m 9 0 l 9 70 m 9 55 l 31 55 h 49 36 v 31 17 l 9 17"),
        'þ' => (54, "m 8 70 l 8 -20 m 8 25 v 27 50 h 47 25 v 27 0 h 8 25"),
        '×' => (56, "m 12 47 l 44 15 m 44 47 l 12 15"),
        '÷' => (56, "m 7 31 l 49 31 m 28 48 l 28 49 m 28 13 l 28 14"),
        // Accents that are not letters of their own.
        '\u{302}' => (30, "m 5 59 l 15 70 l 25 59"),
        '\u{303}' => (30, "m 3 60 l 9 67 l 21 61 l 27 68"),
        '\u{30A}' => (30, "m 15 56 h 23 64 v 15 72 h 7 64 v 15 56"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_the_encoding_has_a_letter_and_a_width() {
        for code in (0x20..=0x7E).chain(0xA0..=0xFF).chain(PUNCTUATION.map(|(code, _)| code)) {
            let c = character(code).unwrap();
            let glyph = Glyph::of(code).unwrap_or_else(|| panic!("{c:?} has no letter"));
            assert!((18..=90).contains(&glyph.width), "{c:?}");
            assert_eq!(super::code(c), Some(code), "{c:?}");
            // Every step has a letter that is known and two numbers.
            let words: Vec<_> = glyph.steps.split_whitespace().collect();
            for step in words.chunks(3) {
                let is_number = |word: &str| word.parse::<i16>().is_ok();
                let is_step = matches!(step, ["m" | "l" | "h" | "v", x, y] if is_number(x) && is_number(y));
                assert!(is_step, "{c:?}: {step:?}");
            }
            assert_eq!(words.first().copied().unwrap_or("m"), "m", "{c:?}");
        }
        for c in ['\n', '\u{7F}', '\u{80}', 'ŋ', '😀'] {
            assert_eq!(code(c), None, "{c:?}");
        }
    }
}
