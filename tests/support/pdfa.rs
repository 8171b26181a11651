//! Archival files (PDF/A), written without a library.

/// A file of one page in a color of this kind of device, which it says to be PDF/A of this part, level B.
pub fn pdfa(part: u8, device: Device) -> Vec<u8> {
    let version = if part == 1 { "1.4" } else { "1.7" };
    let metadata = format!(
        "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\
         <pdfaid:part>{part}</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>\
         </rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>"
    );
    let (color, intent) = match device {
        Device::None => ("/C0 cs 0.5 sc", ""),
        Device::Gray => ("0.5 g", "/OutputIntents [6 0 R]"),
        Device::Rgb => ("0.2 0.4 0.6 rg", "/OutputIntents [6 0 R]"),
    };
    let gray = "/C0 [/CalGray << /WhitePoint [0.9642 1 0.8249] >>]";
    let stream = |dictionary: &str, content: &[u8]| {
        let head = format!("<< {dictionary} /Length {} >>\nstream\n", content.len());
        [head.as_bytes(), content, b"\nendstream"].concat()
    };
    let mut objects = vec![
        format!("<< /Type /Catalog /Pages 2 0 R /Metadata 5 0 R {intent} >>").into_bytes(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
             /Resources << /ColorSpace << {gray} >> >> >>"
        )
        .into_bytes(),
        stream("", format!("{color} 72 600 200 100 re f").as_bytes()),
        stream("/Type /Metadata /Subtype /XML", metadata.as_bytes()),
    ];
    if let Some((components, profile)) = device.profile() {
        objects.push(
            b"<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (Custom) /Info (Test) \
              /DestOutputProfile 7 0 R >>"
                .to_vec(),
        );
        objects.push(stream(&format!("/N {components}"), &profile));
    }
    let mut pdf = format!("%PDF-{version}\n%").into_bytes();
    pdf.extend_from_slice(b"\xE2\xE3\xCF\xD3\n");
    let mut offsets = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        offsets.push(pdf.len());
        pdf.extend_from_slice(format!("{} 0 obj\n", at + 1).as_bytes());
        pdf.extend_from_slice(object);
        pdf.extend_from_slice(b"\nendobj\n");
    }
    let (start, count) = (pdf.len(), objects.len() + 1);
    pdf.extend_from_slice(format!("xref\n0 {count}\n0000000000 65535 f \n").as_bytes());
    for offset in offsets {
        pdf.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let id = "<00112233445566778899AABBCCDDEEFF>";
    let trailer = format!("trailer\n<< /Size {count} /Root 1 0 R /ID [{id} {id}] >>\nstartxref\n{start}\n%%EOF\n");
    pdf.extend_from_slice(trailer.as_bytes());
    pdf
}

/// What the colors of a file are for.
#[derive(Clone, Copy, Debug)]
pub enum Device {
    /// No device: the colors are absolute, and there is no output intent.
    None,
    Gray,
    Rgb,
}

impl Device {
    /// How many components its color profile has, and the profile (ICC.1:2001-04).
    fn profile(self) -> Option<(u8, Vec<u8>)> {
        #[expect(clippy::cast_possible_truncation, reason = "the numbers of a color profile are between -2 and 2")]
        let numbers = |values: [f64; 3]| values.map(|value| ((value * 65536.0).round() as i32).to_be_bytes()).concat();
        let xyz = |values| [b"XYZ \0\0\0\0".as_slice(), &numbers(values)].concat();
        // A gamma of 2.2, in 8 bits before the point and 8 after it.
        let curve = [b"curv\0\0\0\0".as_slice(), &1_u32.to_be_bytes(), &[2, 51]].concat();
        let name = b"Test\0";
        let description = [b"desc\0\0\0\0".as_slice(), &5_u32.to_be_bytes(), name, &[0; 78]].concat();
        let white = [0.9642, 1.0, 0.8249];
        let mut tags =
            vec![(b"desc", description), (b"cprt", [b"text\0\0\0\0".as_slice(), name].concat()), (b"wtpt", xyz(white))];
        let (space, components) = match self {
            Self::None => return None,
            Self::Gray => {
                tags.push((b"kTRC", curve));
                (b"GRAY", 1)
            }
            Self::Rgb => {
                let primaries = [[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]];
                for (name, primary) in [b"rXYZ", b"gXYZ", b"bXYZ"].into_iter().zip(primaries) {
                    tags.push((name, xyz(primary)));
                }
                tags.extend([b"rTRC", b"gTRC", b"bTRC"].map(|name| (name, curve.clone())));
                (b"RGB ", 3)
            }
        };
        let mut table = u32::try_from(tags.len()).unwrap().to_be_bytes().to_vec();
        let (first, mut data) = (128 + 4 + 12 * tags.len(), Vec::new());
        for (name, content) in tags {
            table.extend_from_slice(name);
            for number in [first + data.len(), content.len()] {
                table.extend_from_slice(&u32::try_from(number).unwrap().to_be_bytes());
            }
            data.extend_from_slice(&content);
            data.resize(data.len().next_multiple_of(4), 0);
        }
        let mut header = u32::try_from(first + data.len()).unwrap().to_be_bytes().to_vec();
        header.extend_from_slice(b"\0\0\0\0\x02\x10\0\0mntr");
        header.extend_from_slice(space);
        header.extend_from_slice(b"XYZ ");
        // The first of January 2026.
        header.extend([2026_u16, 1, 1, 0, 0, 0].map(u16::to_be_bytes).concat());
        header.extend_from_slice(b"acsp");
        header.resize(68, 0);
        header.extend_from_slice(&numbers(white));
        header.resize(128, 0);
        Some((components, [header, table, data].concat()))
    }
}
