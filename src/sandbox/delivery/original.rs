//! The pages of an original, as forms that are drawn on pages of ours.
//!
//! A form keeps what a page says apart from what we write on it: its resources, and a state that it did not restore.
//! What can be clicked or filled in does not survive, only how it looks.

use lopdf::{Dictionary, Document as Pdf, Object, ObjectId, Stream};

use super::canvas::{HEIGHT, WIDTH};
use super::front::FOOTER;

/// A transformation as PDF writes it (ISO 32000-1, section 8.3.3).
type Matrix = [f32; 6];

/// A page of an original.
pub(super) struct Original {
    /// What is drawn, and where: the page, then the looks of its annotations.
    pub(super) forms: Vec<(ObjectId, Matrix)>,
    /// How its transparency is reckoned, if it has any.
    pub(super) group: Option<Object>,
}

/// Takes the pages of a file over into another. `None`: it is no PDF that can be taken apart.
pub(super) fn take(pdf: &mut Pdf, content: &[u8]) -> Option<Vec<Original>> {
    let mut other = Pdf::load_mem(content).ok().filter(|other| !other.is_encrypted())?;
    other.renumber_objects_with(pdf.max_id + 1);
    let pages: Vec<ObjectId> = other.get_pages().into_values().collect();
    let taken = pages.into_iter().map(|page| original(&mut other, page)).collect::<Option<Vec<_>>>()?;
    if taken.is_empty() {
        return None;
    }
    pdf.max_id = other.max_id;
    pdf.objects.extend(other.objects);
    Some(taken)
}

fn original(pdf: &mut Pdf, page: ObjectId) -> Option<Original> {
    let visible = visible_box(pdf, page);
    let rotation = inherited(pdf, page, b"Rotate").and_then(|angle| angle.as_i64().ok()).unwrap_or(0);
    let placed = upright(visible, rotation);
    let group = pdf.get_dictionary(page).ok()?.get(b"Group").ok().cloned();
    let mut form = content(pdf, page)?;
    let resources = inherited(pdf, page, b"Resources").unwrap_or_else(|| Dictionary::new().into());
    form.dict.set("Type", "XObject");
    form.dict.set("Subtype", "Form");
    form.dict.set("BBox", visible.map(Object::Real).to_vec());
    form.dict.set("Resources", resources);
    if let Some(group) = &group {
        form.dict.set("Group", group.clone());
    }
    let mut forms = vec![(pdf.add_object(form), placed)];
    forms.extend(looks(pdf, page).into_iter().map(|(form, matrix)| (form, times(matrix, placed))));
    Some(Original { forms, group })
}

/// What a page draws, in one stream.
fn content(pdf: &Pdf, page: ObjectId) -> Option<Stream> {
    let parts = pdf.get_page_contents(page);
    let streams = parts.iter().map(|part| pdf.get_object(*part).ok()?.as_stream().ok());
    let streams = streams.collect::<Option<Vec<_>>>()?;
    if let [only] = streams.as_slice() {
        let mut only = (*only).clone();
        // It may be a reference, to what is not in the file any more.
        only.dict.set("Length", i64::try_from(only.content.len()).ok()?);
        return Some(only);
    }
    let mut joined = Vec::new();
    for stream in streams {
        joined.extend(stream.get_plain_content().ok()?);
        joined.push(b'\n');
    }
    Some(Stream::new(Dictionary::new(), joined))
}

/// The looks of a page's annotations, each with its place on the page (ISO 32000-1, section 12.5.5).
fn looks(pdf: &mut Pdf, page: ObjectId) -> Vec<(ObjectId, Matrix)> {
    let annotations = inherited(pdf, page, b"Annots").and_then(|list| list.as_array().ok().cloned());
    let found: Vec<_> = annotations.unwrap_or_default().iter().filter_map(|item| look(pdf, item)).collect();
    for (form, _) in &found {
        if let Ok(stream) = pdf.get_object_mut(*form).and_then(Object::as_stream_mut) {
            stream.dict.set("Type", "XObject");
            stream.dict.set("Subtype", "Form");
        }
    }
    found
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
