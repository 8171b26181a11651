"""PDFs written byte by byte, updated, and signed by pyHanko's writer with the CMS that is given."""

import re
from io import BytesIO

from asn1crypto import crl as asn1_crl, ocsp as asn1_ocsp
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigAppearanceSetup, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import PdfSignedData
from pyhanko.sign.validation import DocumentSecurityStore
from pyhanko.stamp import TextStampStyle

from . import cms
from .pki import NOW, token


def stream(content, head=""):
    content = content if isinstance(content, bytes) else content.encode()
    return f"<< {head} /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream"


def text(line, at=700):
    return stream(f"BT /F1 18 Tf 72 {at} Td ({line}) Tj ET")


def page(contents, more="", parent=2):
    return (
        f"<< /Type /Page /Parent {parent} 0 R /MediaBox [0 0 595 842] /Contents {contents} 0 R "
        f"/Resources << /Font << /F1 5 0 R >> >> {more}>>"
    )


FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def plain(pages=1, catalog="", more=(), page_more=""):
    """Objects: catalog 1, pages 2, page 3, its content 4, font 5; then what is given, from 6 on."""
    kids = ["3 0 R"]
    objects = {1: "", 2: "", 3: page(4, page_more), 4: text("I owe you 100"), 5: FONT}
    objects |= {6 + at: value for at, value in enumerate(more)}
    for at in range(1, pages):
        number = 6 + len(more) + 2 * (at - 1)
        objects |= {number: page(number + 1), number + 1: text(f"Page {at + 1}")}
        kids.append(f"{number} 0 R")
    objects[1] = f"<< /Type /Catalog /Pages 2 0 R {catalog}>>"
    objects[2] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    return objects


def form(extra="", page_more=""):
    """A page with a text field 6 named Amount, a check box 7, and empty fields for signatures 8 and 9."""
    widget = "/Type /Annot /Subtype /Widget /P 3 0 R /F 4"
    fields_ = [
        f"<< {widget} /FT /Tx /T (Amount) /V (100) /DA (/F1 12 Tf 0 g) /Rect [72 600 272 620] /AP << /N 10 0 R >> >>",
        f"<< {widget} /FT /Btn /T (Agree) /V /Off /AS /Off /Rect [72 560 92 580] >>",
        f"<< {widget} /FT /Sig /T (Signature1) /Rect [0 0 0 0] >>",
        f"<< {widget} /FT /Sig /T (Signature2) /Rect [0 0 0 0] >>",
        appearance("100"),
    ]
    catalog = f"/AcroForm << /Fields [6 0 R 7 0 R 8 0 R 9 0 R] /DR << /Font << /F1 5 0 R >> >> {extra}>> "
    return plain(catalog=catalog, more=fields_, page_more="/Annots [6 0 R 7 0 R 8 0 R 9 0 R] " + page_more)


def appearance(line):
    head = "/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 5 0 R >> >>"
    return stream(f"/Tx BMC BT /F1 12 Tf 2 6 Td ({line}) Tj ET EMC", head)


def encoded(value):
    return value if isinstance(value, bytes) else value.encode("latin-1")


def written(objects, version="1.7", trailer="", newline=b"\n"):
    out = f"%PDF-{version}\n%".encode() + b"\xe2\xe3\xcf\xd3\n"
    places = {}
    for number, value in objects.items():
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + encoded(value) + b"\nendobj\n"
    start, size = len(out), max(objects) + 1
    out += f"xref\n0 {size}\n0000000000 65535 f \n".encode()
    for number in range(1, size):
        entry = f"{places[number]:010} 00000 n \n" if number in places else "0000000000 65535 f \n"
        out += entry.encode()
    out += f"trailer\n<< /Root 1 0 R /Size {size} /ID [<{'ab' * 16}> <{'cd' * 16}>] {trailer}>>\n".encode()
    out += f"startxref\n{start}\n%%EOF\n".encode()
    return out


def updated(pdf, objects, trailer="", root=None, prev=None, free=(), table=True):
    """An incremental update: objects, their cross-references, a trailer."""
    root = root or root_of(pdf)
    out = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    places = {}
    for number, value in objects.items():
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + encoded(value) + b"\nendobj\n"
    start = len(out)
    if not table:
        return out
    out += b"xref\n"
    for number in sorted(places):
        out += f"{number} 1\n{places[number]:010} 00000 n \n".encode()
    for number in free:
        out += f"{number} 1\n0000000000 00001 f \n".encode()
    if not places and not free:
        out += b"0 0\n"
    size = max([size_of(pdf)] + [number + 1 for number in places])
    prev = int(re.findall(rb"startxref\s+(\d+)", pdf)[-1]) if prev is None else prev
    ids = f"/ID [<{'ab' * 16}> <{'ef' * 16}>] "
    out += (
        f"trailer\n<< /Root {root} 0 R /Size {size} /Prev {prev} {ids}{trailer}>>\nstartxref\n{start}\n%%EOF\n".encode()
    )
    return out


def size_of(pdf):
    return max(int(found) for found in re.findall(rb"/Size (\d+)", pdf))


def newest(pdf, number):
    """The newest version of an object, as it stands there."""
    at = [found.end() for found in re.finditer(rb"(?<!\d)%d 0 obj" % number, pdf)][-1]
    return pdf[at : pdf.index(b"endobj", at)].strip()


def root_of(pdf):
    return PdfFileReader(BytesIO(pdf), strict=False).trailer.raw_get("/Root").idnum


def with_entries(value, entries):
    value = encoded(value)
    at = value.rindex(b">>")
    return value[:at] + encoded(entries) + b" >>" + value[at + 2 :]


def in_catalog(pdf, entries, objects=None):
    """An update that adds to the catalog."""
    root = root_of(pdf)
    return updated(pdf, {root: with_entries(newest(pdf, root), entries)} | (objects or {}))


def sign(
    pdf,
    signer,
    field="Signature1",
    pades=True,
    stamp=None,
    certify=None,
    lock=None,
    lock_level=None,
    box=None,
    reserve=None,
    make=None,
    claimed=NOW,
    extra=None,
    streams=None,
    existing=False,
    filled=None,
    spec=None,
    timestamp=None,
    digest="sha256",
    **options,
):
    """Signs or, with `stamp`, timestamps. What is not said here goes to cms.signed_data."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf), strict=False)
    spec = spec or fields.SigFieldSpec(field, box=box)
    steps = PdfCMSEmbedder(new_field_spec=None if existing else spec).write_cms(
        field, writer, existing_fields_only=existing
    )
    next(steps)
    sub_filter = fields.SigSeedSubFilter.PADES if pades else fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED
    if stamp:
        sub_filter = fields.SigSeedSubFilter.ETSI_RFC3161
    placeholder = PdfSignedData(
        pdf_name("/DocTimeStamp" if stamp else "/Sig"),
        subfilter=sub_filter,
        timestamp=None if stamp else claimed,
        bytes_reserved=reserve or 12_000,
    )
    placeholder.update(extra or {})
    mdp = None
    if certify or lock or lock_level:
        mdp = SigMDPSetup(
            md_algorithm="sha256",
            certify=bool(certify),
            docmdp_perms=fields.MDPPerm(certify or lock_level) if certify or lock_level else None,
            field_lock=lock,
        )
    shown = None
    if box:
        style = TextStampStyle(stamp_text="Signed", border_width=1)
        shown = SigAppearanceSetup(style=style, timestamp=NOW, name="Sealer")
    steps.send(SigObjSetup(sig_placeholder=placeholder, mdp_setup=mdp, appearance_setup=shown))
    prepared, out = steps.send(SigIOSetup(md_algorithm=digest, in_place=False))
    whole = out.getbuffer()
    covered = bytes(whole[: prepared.reserved_region_start]) + bytes(whole[prepared.reserved_region_end :])
    del whole
    if make:
        contents = make(covered)
    elif stamp:
        contents = token(covered, stamp, **options)
    else:
        unsigned = list(options.pop("unsigned", ()))
        if timestamp:
            unsigned.append(cms.stamped(lambda value: token(value, *timestamp)))
        contents = cms.signed_data(
            signer,
            prepared.document_digest,
            digest=digest,
            must_name=pades or "names" in options,
            unsigned=unsigned,
            **options,
        )
    steps.send(contents)
    return out.getvalue()


def stamped(pdf, tsa, at=None, field="Timestamp1", **options):
    return sign(pdf, None, field, stamp=tsa, at=at, **options)


def stored(pdf, certs=(), crls=(), responses=(), vri=False):
    """With a document security store, by pyHanko."""
    out = BytesIO(pdf)
    contents = None
    if vri:
        contents = PdfFileReader(BytesIO(pdf), strict=False).embedded_signatures[0].pkcs7_content
    DocumentSecurityStore.supply_dss_in_writer(
        writer := IncrementalPdfFileWriter(out, strict=False),
        sig_contents=contents.hex().upper().encode() if contents else None,
        certs=[one.asn1 for one in certs],
        crls=[asn1_crl.CertificateList.load(der) for der in crls],
        ocsps=[asn1_ocsp.OCSPResponse.load(der) for der in responses],
    )
    result = BytesIO()
    writer.write(result)
    return result.getvalue()


def changed(pdf, edit):
    """An update by pyHanko's writer: `edit` gets it."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf), strict=False)
    edit(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def contents_of(pdf, at=-1):
    """Where the hexadecimal digits of a signature stand."""
    found = list(re.finditer(rb"/Contents\s*<([0-9A-Fa-f]{200,})>", pdf))[at]
    return found.start(1), found.end(1)


def with_contents(pdf, der, at=-1):
    start, end = contents_of(pdf, at)
    digits = der.hex().encode()
    assert len(digits) <= end - start
    return pdf[:start] + digits.ljust(end - start, b"0") + pdf[end:]


def replaced_once(pdf, old, new, at=-1):
    """Replaces one occurrence, the last by default."""
    found = [match.start() for match in re.finditer(re.escape(old), pdf)][at]
    return pdf[:found] + new + pdf[found + len(old) :]


def number(value):
    return generic.NumberObject(value)
