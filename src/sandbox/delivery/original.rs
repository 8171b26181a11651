//! The pages of an original, as forms that are drawn on pages of ours.
//!
//! A form keeps what a page says apart from what we write on it: its resources, and a state that it did not restore.
//! What can be clicked or filled in does not survive, only how it looks.

use lopdf::{Dictionary, Document as Pdf, LoadOptions, Object, ObjectId, Stream};

use super::archival::Archival;
use super::canvas::{HEIGHT, WIDTH};
use super::front::FOOTER;
use crate::verify::objects_of_pdf;

/// A transformation as PDF writes it (ISO 32000-1, section 8.3.3).
type Matrix = [f32; 6];

/// A page of an original.
pub(super) struct Original {
    /// What is drawn, and where: the page, then the looks of its annotations.
    pub(super) forms: Vec<(ObjectId, Matrix)>,
    /// How its transparency is reckoned, if it has any.
    pub(super) group: Option<Object>,
}

/// What the originals of one job may cost together. A PDF can name one content, one dictionary or one list of annotations
/// on every page, and each page gets its own.
pub(super) struct Room {
    /// Objects of the files, direct ones included.
    objects: usize,
    /// Bytes that are copied.
    copied: usize,
}

/// What a page takes, and an annotation: in the file, and in what is built for it.
const PAGE: usize = 8 * 1024;
const ANNOTATION: usize = 1024;

impl Room {
    pub(super) fn for_one_job() -> Self {
        Self { objects: 500_000, copied: 64 * 1024 * 1024 }
    }

    fn copy(&mut self, bytes: usize) -> Option<()> {
        self.copied = self.copied.checked_sub(bytes)?;
        Some(())
    }
}

/// What was taken over from a file.
pub(super) struct Taken {
    pub(super) pages: Vec<Original>,
    /// What it said of itself, if it is an archival file.
    pub(super) archival: Option<Archival>,
}

/// Takes the pages of a file over into another. `None`: it is no PDF that can be taken apart, or it costs too much.
pub(super) fn take(pdf: &mut Pdf, content: &[u8], room: &mut Room) -> Option<Taken> {
    // The library builds every object of a file, of however few bytes.
    room.objects -= objects_of_pdf(content, room.objects).ok()?;
    // Strict: it repairs nothing, and so finds what was counted.
    let options = LoadOptions { strict: true, max_decompressed_size: Some(room.copied), ..LoadOptions::default() };
    let mut other = Pdf::load_mem_with_options(content, options).ok().filter(|other| !other.is_encrypted())?;
    other.renumber_objects_with(pdf.max_id + 1);
    let pages: Vec<ObjectId> = other.get_pages().into_values().collect();
    let pages = pages.into_iter().map(|page| original(&mut other, page, room)).collect::<Option<Vec<_>>>()?;
    if pages.is_empty() {
        return None;
    }
    let archival = Archival::of(&other);
    pdf.max_id = other.max_id;
    pdf.objects.extend(other.objects);
    Some(Taken { pages, archival })
}

fn original(pdf: &mut Pdf, page: ObjectId, room: &mut Room) -> Option<Original> {
    room.copy(PAGE)?;
    let visible = visible_box(pdf, page);
    let rotation = inherited(pdf, page, b"Rotate").and_then(|angle| angle.as_i64().ok()).unwrap_or(0);
    let placed = upright(visible, rotation);
    let group = pdf.get_dictionary(page).ok()?.get(b"Group").ok().cloned();
    let mut form = content(pdf, page, room)?;
    let resources = inherited(pdf, page, b"Resources").unwrap_or_else(|| Dictionary::new().into());
    room.copy(size(&resources))?;
    room.copy(group.as_ref().map_or(0, size))?;
    form.dict.set("Type", "XObject");
    form.dict.set("Subtype", "Form");
    form.dict.set("BBox", visible.map(Object::Real).to_vec());
    form.dict.set("Resources", resources);
    if let Some(group) = &group {
        form.dict.set("Group", group.clone());
    }
    let mut forms = vec![(pdf.add_object(form), placed)];
    forms.extend(looks(pdf, page, room)?.into_iter().map(|(form, matrix)| (form, times(matrix, placed))));
    Some(Original { forms, group })
}

/// What a page draws, in one stream.
fn content(pdf: &Pdf, page: ObjectId, room: &mut Room) -> Option<Stream> {
    let parts = pdf.get_page_contents(page);
    let streams = parts.iter().map(|part| pdf.get_object(*part).ok()?.as_stream().ok());
    let streams = streams.collect::<Option<Vec<_>>>()?;
    if let [only] = streams.as_slice() {
        room.copy(only.content.len() + only.dict.iter().map(|(_, value)| size(value)).sum::<usize>())?;
        let mut only = (*only).clone();
        // It may be a reference, to what is not in the file any more.
        only.dict.set("Length", i64::try_from(only.content.len()).ok()?);
        return Some(only);
    }
    let mut joined = Vec::new();
    for stream in streams {
        let plain = stream.get_plain_content_with_limit(room.copied).ok()?;
        room.copy(plain.len())?;
        joined.extend(plain);
        joined.push(b'\n');
    }
    Some(Stream::new(Dictionary::new(), joined))
}

/// The looks of a page's annotations, each with its place on the page (ISO 32000-1, section 12.5.5).
fn looks(pdf: &mut Pdf, page: ObjectId, room: &mut Room) -> Option<Vec<(ObjectId, Matrix)>> {
    let annotations = inherited(pdf, page, b"Annots").and_then(|list| list.as_array().ok().cloned());
    let annotations = annotations.unwrap_or_default();
    room.copy(annotations.len() * ANNOTATION)?;
    let found: Vec<_> = annotations.iter().filter_map(|item| look(pdf, item)).collect();
    for (form, _) in &found {
        if let Ok(stream) = pdf.get_object_mut(*form).and_then(Object::as_stream_mut) {
            stream.dict.set("Type", "XObject");
            stream.dict.set("Subtype", "Form");
        }
    }
    Some(found)
}

fn look(pdf: &Pdf, annotation: &Object) -> Option<(ObjectId, Matrix)> {
    /// Hidden, or not to be shown (ISO 32000-1, table 165).
    const NOT_SHOWN: i64 = 2 | 32;
    let annotation = pdf.dereference(annotation).ok()?.1.as_dict().ok()?;
    let flags = annotation.get(b"F").and_then(Object::as_i64).unwrap_or(0);
    let is_popup = annotation.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Popup");
    if flags & NOT_SHOWN != 0 || is_popup {
        return None;
    }
    let looks = pdf.dereference(annotation.get(b"AP").ok()?).ok()?.1.as_dict().ok()?;
    let (id, mut normal) = pdf.dereference(looks.get(b"N").ok()?).ok()?;
    let mut id = id;
    if let Ok(states) = normal.as_dict() {
        let state = annotation.get(b"AS").and_then(Object::as_name).ok()?;
        (id, normal) = pdf.dereference(states.get(state).ok()?).ok()?;
    }
    let dictionary = &normal.as_stream().ok()?.dict;
    let bounds: [f32; 4] = numbers(pdf, dictionary.get(b"BBox").ok()?)?;
    let matrix = dictionary.get(b"Matrix").ok().and_then(|matrix| numbers(pdf, matrix)).unwrap_or(IDENTITY);
    let rect = ordered(numbers(pdf, annotation.get(b"Rect").ok()?)?);
    // The box around the corners of the form, brought onto the annotation's rectangle.
    let [left, bottom, right, top] = bounds;
    let corners = [(left, bottom), (left, top), (right, bottom), (right, top)].map(|at| apply(matrix, at));
    let (x, y) = (corners.map(|corner| corner.0), corners.map(|corner| corner.1));
    let least = |values: [f32; 4]| values.into_iter().fold(f32::INFINITY, f32::min);
    let most = |values: [f32; 4]| values.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let scale = |to: f32, from: f32| if from.abs() < f32::EPSILON { 1.0 } else { to / from };
    let (across, up) = (scale(rect[2] - rect[0], most(x) - least(x)), scale(rect[3] - rect[1], most(y) - least(y)));
    Some((id?, [across, 0.0, 0.0, up, rect[0] - across * least(x), rect[1] - up * least(y)]))
}

/// What of a page is shown: its crop box within its media box.
fn visible_box(pdf: &Pdf, page: ObjectId) -> [f32; 4] {
    let named = |key: &[u8]| inherited(pdf, page, key).and_then(|array| numbers(pdf, &array)).map(ordered);
    let media = named(b"MediaBox").unwrap_or([0.0, 0.0, WIDTH, HEIGHT]);
    let crop = named(b"CropBox").unwrap_or(media);
    let within = [crop[0].max(media[0]), crop[1].max(media[1]), crop[2].min(media[2]), crop[3].min(media[3])];
    let has_area = |sides: &[f32; 4]| sides[2] - sides[0] >= 1.0 && sides[3] - sides[1] >= 1.0;
    [within, media].into_iter().find(has_area).unwrap_or([0.0, 0.0, WIDTH, HEIGHT])
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

fn numbers<const N: usize>(pdf: &Pdf, array: &Object) -> Option<[f32; N]> {
    let array = pdf.dereference(array).ok()?.1.as_array().ok()?;
    let number = |object: &Object| pdf.dereference(object).ok()?.1.as_float().ok().filter(|number| number.is_finite());
    array.iter().map(number).collect::<Option<Vec<_>>>()?.try_into().ok()
}

/// A key of a page, or of the nearest node above it that has it, without references to it (ISO 32000-1, 7.7.3.4).
fn inherited(pdf: &Pdf, page: ObjectId, key: &[u8]) -> Option<Object> {
    let mut id = page;
    // A tree deeper than this is a loop.
    for _ in 0..32 {
        let node = pdf.get_dictionary(id).ok()?;
        if let Ok(value) = node.get(key) {
            return Some(pdf.dereference(value).ok()?.1.clone());
        }
        id = node.get(b"Parent").ok()?.as_reference().ok()?;
    }
    None
}

/// What an object takes in memory, roughly.
fn size(object: &Object) -> usize {
    let inside = match object {
        Object::Array(items) => items.iter().map(size).sum(),
        Object::Dictionary(dictionary) => dictionary.iter().map(|(key, value)| key.len() + 64 + size(value)).sum(),
        Object::String(bytes, _) | Object::Name(bytes) => bytes.len(),
        _ => 0,
    };
    size_of::<Object>() + inside
}

#[cfg(test)]
mod tests {
    use lopdf::dictionary;

    use super::*;

    /// A file with one page: these boxes, this rotation, and a filled-in field whose look is 10 by 10 points.
    fn file(media: [i64; 4], rotation: i64, hidden: bool) -> Vec<u8> {
        let mut pdf = Pdf::with_version("1.7");
        let pages = pdf.new_object_id();
        let bounds = [0, 0, 10, 10].map(Object::from).to_vec();
        let look = pdf.add_object(Stream::new(dictionary! { "BBox" => bounds }, b"0 0 10 10 re f".to_vec()));
        let field = pdf.add_object(dictionary! {
            "Type" => "Annot", "Subtype" => "Widget", "F" => if hidden { 2 } else { 4 },
            "Rect" => [100, 100, 140, 120].map(Object::from).to_vec(), "AP" => dictionary! { "N" => look },
        });
        let parts: Vec<Object> = [b"q 1 0 0".as_slice(), b"1 0 0 cm"]
            .map(|part| pdf.add_object(Stream::new(Dictionary::new(), part.to_vec())).into())
            .to_vec();
        let page = pdf.add_object(dictionary! {
            "Type" => "Page", "Parent" => pages, "Contents" => parts, "Annots" => vec![field.into()],
        });
        // Both are inherited.
        pdf.set_object(
            pages,
            dictionary! {
                "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1, "Rotate" => rotation,
                "MediaBox" => media.map(Object::from).to_vec(),
            },
        );
        let catalog = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
        pdf.trailer.set("Root", catalog);
        let mut bytes = Vec::new();
        pdf.save_to(&mut bytes).expect("written");
        bytes
    }

    fn taken(file: &[u8]) -> (Pdf, Original) {
        let mut pdf = Pdf::with_version("1.7");
        let mut pages = take(&mut pdf, file, &mut Room::for_one_job()).expect("pages").pages;
        assert_eq!(pages.len(), 1);
        (pdf, pages.remove(0))
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
        let content = pdf.get_object(*whole).and_then(Object::as_stream).expect("a form");
        assert_eq!(content.content, b"q 1 0 0\n1 0 0 cm\n", "both parts, apart from each other");
        let dictionary = &pdf.get_object(*field).and_then(Object::as_stream).expect("a form").dict;
        assert_eq!(dictionary.get(b"Subtype").and_then(Object::as_name).ok(), Some(b"Form".as_slice()));
        for (own, on_page) in [((0.0, 0.0), (100.0, 100.0)), ((10.0, 10.0), (140.0, 120.0))] {
            let (there, expected) = (apply(*look, own), apply(*place, on_page));
            assert!((there.0 - expected.0).abs() < 0.01 && (there.1 - expected.1).abs() < 0.01, "{there:?}");
        }
        let (_, page) = taken(&file([0, 0, 595, 842], 0, true));
        assert_eq!(page.forms.len(), 1, "what is hidden stays so");
    }

    #[test]
    fn what_has_no_pages_is_not_taken() {
        let mut pdf = Pdf::with_version("1.7");
        for content in
            ["", "%PDF-1.4\n", "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"]
        {
            assert!(take(&mut pdf, content.as_bytes(), &mut Room::for_one_job()).is_none(), "{content}");
        }
        assert!(pdf.objects.is_empty());
    }
}
