//! The front page of a signed PDF, and the footers of its pages.

use jiff::Timestamp;

use super::SignedBy;
use super::canvas::{Canvas, HEIGHT, WIDTH, text_width, wrapped};
use super::font::Font;
use super::ltv_sdo::METHOD;
use super::sealing::SEAL_NAME;
use crate::types::Documents;

/// Left and right of the text.
const MARGIN: f32 = 56.0;
/// The start of the text on a page that is not the first, and its end on each page.
const TOP: f32 = HEIGHT - 70.0;
const BOTTOM: f32 = 92.0;
/// How high the footer is: nothing else stands below this.
pub(super) const FOOTER: f32 = 62.0;

/// The front page, and what of it does not fit on one page.
pub(super) fn front_pages(
    title: &str,
    documents: &Documents,
    signers: &[SignedBy],
    sealed_at: Timestamp,
) -> Vec<Canvas> {
    let mut flow = Flow { pages: vec![Canvas::default()], y: HEIGHT - 96.0 };
    let page = flow.page();
    page.rectangle((0.0, HEIGHT - 14.0), (WIDTH, 14.0), 0.2);
    page.text((MARGIN, HEIGHT - 46.0), Font::Bold, 10.0, 0.35, "SANDKASSEN FOR POSTEN SIGNERING");
    flow.paragraph(title, Font::Bold, 20.0, 0.0);
    flow.gap(4.0);
    let binding = "Laget i en sandkasse for utviklere. Signaturene er ekte som teknikk, men binder ingen.";
    flow.paragraph(binding, Font::Regular, 10.0, 0.35);

    flow.heading("Signert av");
    for signer in signers {
        let who = &signer.person;
        flow.row(&who.line(), &format!("{}, med {METHOD}", time(signer.at)));
    }
    flow.heading("Innhold");
    for document in documents.iter() {
        flow.row(document.title().as_str(), "");
    }
    let count = signers.len();
    let attached = match count {
        1 => "Den tekniske signaturen ligger ved som E-Signature-1.xml.".to_owned(),
        _ => format!("De tekniske signaturene ligger ved som E-Signature-1.xml til E-Signature-{count}.xml."),
    };
    flow.gap(6.0);
    flow.paragraph(&attached, Font::Regular, 9.0, 0.35);
    flow.heading("Forseglet av");
    flow.row(SEAL_NAME, &time(sealed_at));
    flow.paragraph("Seglet viser at ingenting er endret siden da.", Font::Regular, 9.0, 0.35);
    flow.pages
}

/// A page with lines of text: for what has no pages of its own.
pub(super) fn text_pages(heading: &str, text: &str) -> Vec<Canvas> {
    let mut flow = Flow { pages: vec![Canvas::default()], y: TOP };
    flow.paragraph(heading, Font::Bold, 14.0, 0.0);
    flow.gap(8.0);
    for line in text.lines() {
        flow.paragraph(line, Font::Regular, 10.0, 0.0);
    }
    flow.pages
}

/// The footer of a page: signers, sealer and page number.
pub(super) fn footer(page: &mut Canvas, signers: &[SignedBy], number: usize, pages: usize) {
    const SIZE: f32 = 7.0;
    page.rectangle((MARGIN, FOOTER - 8.0), (WIDTH - 2.0 * MARGIN, 0.5), 0.6);
    let names: Vec<String> = signers.iter().map(|signer| signer.person.line()).collect();
    let mut lines = wrapped(&format!("Signert av {}", names.join(", ")), SIZE, WIDTH - 2.0 * MARGIN);
    if lines.len() > 2 {
        lines.truncate(2);
        lines[1].push('…');
    }
    for (at, line) in (0u8..).zip(&lines) {
        page.text((MARGIN, FOOTER - 19.0 - 9.0 * f32::from(at)), Font::Regular, SIZE, 0.3, line);
    }
    page.text((MARGIN, 22.0), Font::Regular, SIZE, 0.3, &format!("Forseglet av {SEAL_NAME}"));
    let number = format!("Side {number} av {pages}");
    let x = WIDTH - MARGIN - text_width(&number, SIZE);
    page.text((x, 22.0), Font::Regular, SIZE, 0.3, &number);
}

fn time(at: Timestamp) -> String {
    at.strftime("%d.%m.%Y kl. %H:%M:%S UTC").to_string()
}

/// Text that runs down the pages.
struct Flow {
    pages: Vec<Canvas>,
    /// The position of the next line.
    y: f32,
}

impl Flow {
    fn page(&mut self) -> &mut Canvas {
        self.pages.last_mut().expect("there is always one")
    }

    /// Room for something so high, on this page or on the next.
    fn room(&mut self, height: f32) {
        if self.y - height < BOTTOM {
            self.pages.push(Canvas::default());
            self.y = TOP;
        }
    }

    fn gap(&mut self, height: f32) {
        self.y -= height;
    }

    fn paragraph(&mut self, text: &str, font: Font, size: f32, gray: f32) {
        for line in wrapped(text, size, WIDTH - 2.0 * MARGIN) {
            self.room(size * 1.3);
            let y = self.y;
            self.page().text((MARGIN, y), font, size, gray, &line);
            self.y -= size * 1.3;
        }
    }

    fn heading(&mut self, text: &str) {
        self.room(60.0);
        self.y -= 24.0;
        let y = self.y;
        self.page().text((MARGIN, y), Font::Bold, 11.0, 0.0, text);
        self.page().rectangle((MARGIN, y - 6.0), (WIDTH - 2.0 * MARGIN, 0.8), 0.2);
        self.y -= 22.0;
    }

    /// A line of a list, and what is said of it below.
    fn row(&mut self, text: &str, below: &str) {
        self.paragraph(text, Font::Regular, 10.0, 0.0);
        if !below.is_empty() {
            self.paragraph(below, Font::Regular, 8.0, 0.4);
            self.gap(6.0);
        }
    }
}
