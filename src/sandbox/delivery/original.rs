//! The pages of an original, as forms that are drawn on pages of ours.
//!
//! A form keeps what a page says apart from what we write on it: its resources, and a state that it did not restore.
//! What can be clicked or filled in does not survive, only how it looks.

use super::archival::Archival;
use super::canvas::{HEIGHT, WIDTH};
use super::copied::Copies;
use super::front::FOOTER;
use crate::error::VerificationError::{self, Malformed, TooComplex};
use crate::pdf::{Budget, Dictionary, Entries, File, Id, MAX_DEPTH, Object, Value, View, Writer, entries};

/// A transformation as PDF writes it (ISO 32000-1, section 8.3.3).
type Matrix = [f32; 6];

/// A page of an original.
pub(super) struct Original {
    /// The forms to draw, and their places: the page, then the appearances of its annotations.
    pub(super) forms: Vec<(Id, Matrix)>,
    /// How its transparency is reckoned, if it has any.
    pub(super) group: Option<Value>,
}

/// The limits of all originals of a job together. A PDF can use one content or one list of annotations on every page,
/// and each page gets its own.
pub(super) struct Room {
    /// Objects that are read, direct ones included.
    objects: usize,
    /// Bytes that are copied for pages.
    copied: usize,
}

/// The size of a page and of an annotation, in the file and in memory.
const PAGE: usize = 8 * 1024;
const ANNOTATION: usize = 1024;

impl Room {
    pub(super) fn for_one_job() -> Self {
        Self { objects: 500_000, copied: 64 * 1024 * 1024 }
    }

    fn copy(&mut self, bytes: usize) -> Result<(), VerificationError> {
        self.copied = self.copied.checked_sub(bytes).ok_or(TooComplex("its pages are too large"))?;
        Ok(())
    }
}

/// The parts that were copied from a file.
pub(super) struct Taken {
    pub(super) pages: Vec<Original>,
    /// Its declaration, if it is an archival file.
    pub(super) archival: Option<Archival>,
}

/// Takes the pages of a file over into another. `None`: it is no PDF that can be taken apart, or it costs too much.
pub(super) fn take(pdf: &mut Writer, content: &[u8], room: &mut Room) -> Option<Taken> {
    let file = File::within(content, Budget::with_objects(content.len(), room.objects)).ok()?;
    let view = file.whole().ok()?;
    let mark = pdf.mark();
    let pages = pages(Copies::new(&view, pdf), room).ok().filter(|pages| !pages.is_empty());
    let taken = pages.map(|pages| Taken { pages, archival: Archival::of(&view) });
    room.objects = view.budget().objects_left();
    if taken.is_none() {
        pdf.back_to(&mark);
    }
    taken
}

/// Takes the pages of a file over, for the fuzz targets. The result must be a file that can be read.
#[cfg(any(fuzzing, test))]
pub(in super::super) fn take_pages(content: &[u8]) {
    let mut pdf = Writer::new();
    let root = pdf.id();
    let taken = take(&mut pdf, content, &mut Room::for_one_job());
    let forms = taken.iter().flat_map(|taken| &taken.pages).flat_map(|page| &page.forms);
    let forms: Vec<_> = forms.map(|(form, _)| *form).collect();
    pdf.put(root, entries! { "Forms" => Value::array(forms.iter().copied()) });
    pdf.end(root, b"");
    let written = pdf.into_bytes();
    let file = File::new(&written).expect("a file");
    let view = file.whole().expect("a file");
    for form in forms {
        assert!(matches!(view.object(form), Ok(Object::Stream(..))), "a form is a stream");
    }
}

fn pages(copies: Copies<'_, '_, '_>, room: &mut Room) -> Result<Vec<Original>, VerificationError> {
    let catalog = copies.from.catalog()?;
    let mut taking = Taking { copies, room, pages: Vec::new() };
    if let Some(root) = catalog.get(b"Pages") {
        taking.node(root, &Inherited::default(), 0)?;
    }
    taking.copies.finish()?;
    Ok(taking.pages)
}

/// The entries that a page inherits from the nodes above it (ISO 32000-1, 7.7.3.4).
#[derive(Clone, Default)]
struct Inherited {
    media: Option<[f32; 4]>,
    crop: Option<[f32; 4]>,
    rotation: i64,
    /// The number of the resources in the copy.
    resources: Option<Id>,
}

struct Taking<'c, 'f, 'b, 'r> {
    copies: Copies<'c, 'f, 'b>,
    room: &'r mut Room,
    pages: Vec<Original>,
}

impl Taking<'_, '_, '_, '_> {
    /// Takes a node of the page tree, and those below it.
    fn node(&mut self, node: &Object, above: &Inherited, depth: usize) -> Result<(), VerificationError> {
        let Object::Dictionary(node) = self.copies.from.follow(node)? else { return Ok(()) };
        let inherited = self.inherited(&node, above)?;
        match self.copies.from.value(&node, b"Kids")? {
            // A deeper tree is a loop.
            Object::Array(_) if depth == MAX_DEPTH => Err(TooComplex("its pages are nested too deep")),
            Object::Array(kids) => kids.iter().try_for_each(|kid| self.node(kid, &inherited, depth + 1)),
            _ if node.is(b"Type", b"Pages") => Ok(()),
            _ => self.page(&node, &inherited),
        }
    }

    fn inherited(&mut self, node: &Dictionary, above: &Inherited) -> Result<Inherited, VerificationError> {
        let view = self.copies.from;
        let named = |key: &[u8]| node.get(key).map_or(Ok(None), |array| numbers(view, array));
        let rotation = view.value(node, b"Rotate")?.integer();
        let (media, crop) = (named(b"MediaBox")?.map(ordered), named(b"CropBox")?.map(ordered));
        let resources = match node.get(b"Resources") {
            Some(Object::Reference(id)) => Some(self.copies.name(*id)),
            Some(resources @ Object::Dictionary(_)) => {
                let resources = self.copies.value(resources);
                Some(self.copies.to.add(resources))
            }
            _ => None,
        };
        Ok(Inherited {
            media: media.or(above.media),
            crop: crop.or(above.crop),
            rotation: rotation.unwrap_or(above.rotation),
            resources: resources.or(above.resources),
        })
    }

    fn page(&mut self, page: &Dictionary, inherited: &Inherited) -> Result<(), VerificationError> {
        self.room.copy(PAGE)?;
        let visible = inherited.visible_box();
        let placed = upright(visible, inherited.rotation);
        let group = page.get(b"Group").map(|group| self.copies.value(group));
        let mut form = entries! { "Type" => "XObject", "Subtype" => "Form", "BBox" => Value::array(visible) };
        match inherited.resources {
            Some(resources) => form.set("Resources", resources),
            None => form.set("Resources", Entries::default()),
        }
        if let Some(group) = group.clone() {
            form.set("Group", group);
        }
        let mut forms = vec![(self.content(page, form)?, placed)];
        let annotations = self.copies.from.array(page, b"Annots")?;
        self.room.copy(annotations.len() * ANNOTATION)?;
        for annotation in annotations {
            if let Some((look, matrix)) = look(self.copies.from, &annotation)? {
                forms.push((self.copies.form(look), times(matrix, placed)));
            }
        }
        self.pages.push(Original { forms, group });
        Ok(())
    }

    /// The content of a page, in one stream.
    fn content(&mut self, page: &Dictionary, mut form: Entries) -> Result<Id, VerificationError> {
        let from = self.copies.from;
        let parts = match from.value(page, b"Contents")? {
            Object::Null => Vec::new(),
            Object::Array(parts) => parts.iter().map(|part| from.follow(part)).collect::<Result<_, _>>()?,
            only => vec![only],
        };
        if let [Object::Stream(dictionary, start)] = parts.as_slice() {
            for key in [b"Filter".as_slice(), b"DecodeParms"] {
                if let Some(value) = dictionary.get(key) {
                    form.set(key, self.copies.value(value));
                }
            }
            let content = from.raw(dictionary, *start)?;
            self.room.copy(content.len())?;
            return Ok(self.copies.to.add_stream(form, content));
        }
        let mut joined = Vec::new();
        for part in &parts {
            let Object::Stream(dictionary, start) = part else { return Err(Malformed("the content of a page")) };
            let plain = from.decoded(dictionary, *start, self.room.copied)?;
            self.room.copy(plain.len())?;
            match joined.is_empty() {
                true => joined = plain.into_owned(),
                false => joined.extend_from_slice(&plain),
            }
            joined.push(b'\n');
        }
        Ok(self.copies.to.add_stream(form, &joined))
    }
}

/// The look of an annotation, with its place on the page (ISO 32000-1, section 12.5.5).
fn look(view: &View<'_, '_>, annotation: &Object) -> Result<Option<(Id, Matrix)>, VerificationError> {
    /// Hidden, or not to be shown (ISO 32000-1, table 165).
    const NOT_SHOWN: i64 = 2 | 32;
    let Object::Dictionary(annotation) = view.follow(annotation)? else { return Ok(None) };
    let flags = view.value(&annotation, b"F")?.integer().unwrap_or(0);
    if flags & NOT_SHOWN != 0 || view.value(&annotation, b"Subtype")?.name() == Some(b"Popup") {
        return Ok(None);
    }
    let looks = view.dictionary(&annotation, b"AP")?;
    let Some(mut normal) = looks.and_then(|looks| looks.get(b"N").cloned()) else { return Ok(None) };
    let mut found = view.follow(&normal)?;
    if let Object::Dictionary(states) = &found {
        let state = view.value(&annotation, b"AS")?;
        let Some(state) = state.name().and_then(|state| states.get(state)) else { return Ok(None) };
        normal = state.clone();
        found = view.follow(&normal)?;
    }
    let (Object::Stream(dictionary, _), Some(id)) = (found, normal.reference()) else { return Ok(None) };
    let place = |holder: &Dictionary, key: &[u8]| holder.get(key).map_or(Ok(None), |array| numbers(view, array));
    let (bounds, rect) = (place(&dictionary, b"BBox")?, place(&annotation, b"Rect")?);
    let (Some([left, bottom, right, top]), Some(rect)) = (bounds, rect.map(ordered)) else { return Ok(None) };
    let matrix = dictionary.get(b"Matrix").map_or(Ok(None), |matrix| numbers(view, matrix))?.unwrap_or(IDENTITY);
    // The box around the corners of the form, brought onto the annotation's rectangle.
    let corners = [(left, bottom), (left, top), (right, bottom), (right, top)].map(|at| apply(matrix, at));
    let (x, y) = (corners.map(|corner| corner.0), corners.map(|corner| corner.1));
    let least = |values: [f32; 4]| values.into_iter().fold(f32::INFINITY, f32::min);
    let most = |values: [f32; 4]| values.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let scale = |to: f32, from: f32| if from.abs() < f32::EPSILON { 1.0 } else { to / from };
    let (across, up) = (scale(rect[2] - rect[0], most(x) - least(x)), scale(rect[3] - rect[1], most(y) - least(y)));
    let placed = [across, 0.0, 0.0, up, rect[0] - across * least(x), rect[1] - up * least(y)];
    Ok(placed.iter().all(|number| number.is_finite()).then_some((id, placed)))
}

impl Inherited {
    /// The visible part of a page: its crop box within its media box.
    fn visible_box(&self) -> [f32; 4] {
        let media = self.media.unwrap_or([0.0, 0.0, WIDTH, HEIGHT]);
        let crop = self.crop.unwrap_or(media);
        let within = [crop[0].max(media[0]), crop[1].max(media[1]), crop[2].min(media[2]), crop[3].min(media[3])];
        let is_side = |length: f32| length >= 1.0 && length.is_finite();
        let has_area = |sides: &[f32; 4]| is_side(sides[2] - sides[0]) && is_side(sides[3] - sides[1]);
        [within, media].into_iter().find(has_area).unwrap_or([0.0, 0.0, WIDTH, HEIGHT])
    }
}

/// Brings a box, turned as the page asks, onto an upright A4 page above the footer: never larger than it was.
fn upright([left, bottom, right, top]: [f32; 4], rotation: i64) -> Matrix {
    let (width, height) = (right - left, top - bottom);
    let turned = match rotation.rem_euclid(360) {
        90 => [0.0, -1.0, 1.0, 0.0, 0.0, width],
        180 => [-1.0, 0.0, 0.0, -1.0, width, height],
        270 => [0.0, 1.0, -1.0, 0.0, height, 0.0],
        _ => IDENTITY,
    };
    let (across, up) = if turned[0] == 0.0 { (height, width) } else { (width, height) };
    let room = HEIGHT - FOOTER;
    let scale = (WIDTH / across).min(room / up).min(1.0);
    let (x, y) = ((WIDTH - across * scale) / 2.0, FOOTER + (room - up * scale) / 2.0);
    times(times([1.0, 0.0, 0.0, 1.0, -left, -bottom], turned), [scale, 0.0, 0.0, scale, x, y])
}

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

fn apply([a, b, c, d, e, f]: Matrix, (x, y): (f32, f32)) -> (f32, f32) {
    (a * x + c * y + e, b * x + d * y + f)
}

/// First one, then the other.
fn times(first: Matrix, then: Matrix) -> Matrix {
    let (e, f) = apply(then, (first[4], first[5]));
    let [a, b, c, d, ..] = then;
    [
        first[0] * a + first[1] * c,
        first[0] * b + first[1] * d,
        first[2] * a + first[3] * c,
        first[2] * b + first[3] * d,
        e,
        f,
    ]
}

fn ordered([a, b, c, d]: [f32; 4]) -> [f32; 4] {
    [a.min(c), b.min(d), a.max(c), b.max(d)]
}

fn numbers<const N: usize>(view: &View<'_, '_>, array: &Object) -> Result<Option<[f32; N]>, VerificationError> {
    let Object::Array(items) = view.follow(array)? else { return Ok(None) };
    if items.len() != N {
        return Ok(None);
    }
    let mut numbers = [0.0; N];
    for (number, item) in numbers.iter_mut().zip(&items) {
        let Some(found) = view.follow(item)?.number() else { return Ok(None) };
        *number = found;
    }
    Ok(Some(numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one page: these boxes, this rotation, and a filled-in field whose look is 10 by 10 points.
    fn file(media: [i64; 4], rotation: i64, hidden: bool) -> Vec<u8> {
        let mut pdf = Writer::new();
        let (root, pages) = (pdf.id(), pdf.id());
        let look = pdf.add_stream(entries! { "BBox" => Value::array([0, 0, 10, 10]) }, b"0 0 10 10 re f");
        let field = pdf.add(entries! {
            "Type" => "Annot", "Subtype" => "Widget", "F" => if hidden { 2 } else { 4 },
            "Rect" => Value::array([100, 100, 140, 120]), "AP" => entries! { "N" => look },
        });
        let parts = [b"q 1 0 0".as_slice(), b"1 0 0 cm"].map(|part| pdf.add_stream(Entries::default(), part));
        let page = pdf.add(entries! {
            "Type" => "Page", "Parent" => pages, "Contents" => Value::array(parts), "Annots" => Value::array([field]),
        });
        // Both are inherited.
        let boxes = entries! {
            "Type" => "Pages", "Kids" => Value::array([page]), "Count" => 1, "Rotate" => rotation,
            "MediaBox" => Value::array(media),
        };
        pdf.put(pages, boxes);
        pdf.put(root, entries! { "Type" => "Catalog", "Pages" => pages });
        pdf.end(root, b"");
        pdf.into_bytes()
    }

    /// The copied pages, in a file whose catalog has them.
    fn taken(file: &[u8]) -> (Vec<u8>, Original) {
        let mut pdf = Writer::new();
        let root = pdf.id();
        let mut pages = take(&mut pdf, file, &mut Room::for_one_job()).expect("pages").pages;
        assert_eq!(pages.len(), 1);
        let page = pages.remove(0);
        pdf.put(root, entries! { "Forms" => Value::array(page.forms.iter().map(|(id, _)| *id)) });
        pdf.end(root, b"");
        (pdf.into_bytes(), page)
    }

    #[test]
    fn every_page_fits_on_upright_a4_above_the_footer() {
        for (width, height) in [(595, 842), (842, 595), (1191, 842), (5000, 50), (100, 200), (3, 9000)] {
            for rotation in [0, 90, 180, 270, -90, 450] {
                let media = [-7, 11, width - 7, height + 11];
                let (_, page) = taken(&file(media, rotation, false));
                let (_, matrix) = page.forms[0];
                let corners =
                    [(0, 1), (2, 1), (0, 3), (2, 3)].map(|(x, y)| apply(matrix, (media[x] as f32, media[y] as f32)));
                for (x, y) in corners {
                    let case = format!("{width} x {height}, turned by {rotation}: {x}, {y}");
                    assert!((-0.1..=WIDTH + 0.1).contains(&x), "{case}");
                    assert!((FOOTER - 0.1..=HEIGHT + 0.1).contains(&y), "{case}");
                }
                // Turned, not mirrored, and not stretched.
                let [a, b, c, d, ..] = matrix;
                let area = a * d - b * c;
                assert!(area > 0.0 && area < 1.001, "{matrix:?}");
                assert!((a.hypot(b) - c.hypot(d)).abs() < 1e-6, "{matrix:?}");
            }
        }
    }

    #[test]
    fn what_was_filled_in_is_drawn_where_it_was() {
        let (pdf, page) = taken(&file([0, 0, 595, 842], 0, false));
        let [(whole, place), (field, look)] = page.forms.as_slice() else { panic!("{:?}", page.forms) };
        let read = File::new(&pdf).expect("a file");
        let view = read.whole().expect("a file");
        let Ok(Object::Stream(dictionary, start)) = view.object(*whole) else { panic!("a form") };
        let content = view.stream(&dictionary, start).expect("its content");
        assert_eq!(content.as_ref(), b"q 1 0 0\n1 0 0 cm\n", "both parts, apart from each other");
        let Ok(Object::Stream(dictionary, _)) = view.object(*field) else { panic!("a form") };
        assert!(dictionary.is(b"Subtype", b"Form"));
        for (own, on_page) in [((0.0, 0.0), (100.0, 100.0)), ((10.0, 10.0), (140.0, 120.0))] {
            let (there, expected) = (apply(*look, own), apply(*place, on_page));
            assert!((there.0 - expected.0).abs() < 0.01 && (there.1 - expected.1).abs() < 0.01, "{there:?}");
        }
        let (_, page) = taken(&file([0, 0, 595, 842], 0, true));
        assert_eq!(page.forms.len(), 1, "what is hidden stays so");
    }

    #[test]
    fn what_has_no_pages_is_not_taken() {
        let mut pdf = Writer::new();
        let before = pdf.bytes().to_vec();
        for content in
            ["", "%PDF-1.4\n", "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"]
        {
            assert!(take(&mut pdf, content.as_bytes(), &mut Room::for_one_job()).is_none(), "{content}");
        }
        assert_eq!(pdf.bytes(), before);
    }
}
