//! The fonts of our pages, with the letters that are used and no others.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::glyphs::{Glyph, character};
use crate::pdf::{Entries, Id, Value, Writer, entries};

/// The two fonts of our pages.
#[derive(Clone, Copy)]
pub(super) enum Font {
    Regular,
    Bold,
}

impl Font {
    const ALL: [Self; 2] = [Self::Regular, Self::Bold];

    /// Its name among the resources of a page.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Regular => "F1",
            Self::Bold => "F2",
        }
    }

    /// How wide its lines are, in thousandths of its size.
    fn pen(self) -> u16 {
        match self {
            Self::Regular => 72,
            Self::Bold => 118,
        }
    }
}

/// The codes that were written in each font.
#[derive(Default)]
pub(super) struct Used([BTreeSet<u8>; 2]);

impl Used {
    pub(super) fn add(&mut self, font: Font, codes: &[u8]) {
        self.0[font as usize].extend(codes);
    }

    pub(super) fn extend(&mut self, other: &Self) {
        for (ours, others) in self.0.iter_mut().zip(&other.0) {
            ours.extend(others);
        }
    }
}

/// The fonts of a file, before it is known what is written in them.
pub(super) struct Fonts([Id; 2]);

impl Fonts {
    pub(super) fn new(pdf: &mut Writer) -> Self {
        Self(Font::ALL.map(|_| pdf.id()))
    }

    /// The fonts among the resources of a page.
    pub(super) fn resources(&self) -> Entries {
        let mut fonts = Entries::default();
        Font::ALL.iter().zip(self.0).for_each(|(font, id)| fonts.set(font.name(), id));
        fonts
    }

    /// Writes them.
    pub(super) fn write(self, pdf: &mut Writer, used: &Used) {
        for ((font, id), codes) in Font::ALL.into_iter().zip(self.0).zip(&used.0) {
            let written = written(pdf, font, codes);
            pdf.put(id, written);
        }
    }
}

/// A font with these codes (ISO 32000-1, section 9.6.5).
fn written(pdf: &mut Writer, font: Font, codes: &BTreeSet<u8>) -> Entries {
    let (mut procedures, mut differences) = (Entries::default(), Vec::<Value>::new());
    let mut unicode = String::new();
    let (first, last) = (codes.first().copied().unwrap_or(b' '), codes.last().copied().unwrap_or(b' '));
    let mut widths = Vec::new();
    for code in first..=last {
        let used = codes.contains(&code).then(|| Glyph::of(code).zip(character(code))).flatten();
        widths.push(used.as_ref().map_or(0, |(glyph, _)| i64::from(glyph.width) * 10));
        let Some((glyph, c)) = used else { continue };
        let name = format!("uni{:04X}", u32::from(c));
        procedures.set(&name, pdf.add_stream(Entries::default(), &glyph.procedure(font.pen())));
        differences.extend([i64::from(code).into(), name.as_str().into()]);
        let _ = writeln!(unicode, "<{code:02X}> <{:04X}>", u32::from(c));
    }
    let unicode = pdf.add_stream(Entries::default(), cmap(&unicode).as_bytes());
    entries! {
        "Type" => "Font",
        "Subtype" => "Type3",
        "FontBBox" => Value::array([-100, -300, 1000, 1000]),
        "FontMatrix" => Value::array([0.001, 0.0, 0.0, 0.001, 0.0, 0.0]),
        "Resources" => Entries::default(),
        "CharProcs" => procedures,
        "Encoding" => entries! { "Type" => "Encoding", "Differences" => Value::array(differences) },
        "FirstChar" => i64::from(first),
        "LastChar" => i64::from(last),
        "Widths" => Value::array(widths),
        "ToUnicode" => unicode,
    }
}

/// Which characters the codes stand for (ISO 32000-1, section 9.10.3), one pair on each line.
fn cmap(pairs: &str) -> String {
    let mut text = "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Sandbox def\n\
        /CMapType 2 def\n1 begincodespacerange\n<00> <FF>\nendcodespacerange\n"
        .to_owned();
    let pairs: Vec<&str> = pairs.lines().collect();
    // A block has at most a hundred.
    for block in pairs.chunks(100) {
        let _ = writeln!(text, "{} beginbfchar\n{}\nendbfchar", block.len(), block.join("\n"));
    }
    text.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend");
    text
}
