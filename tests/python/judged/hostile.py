"""Documents that somebody made to deceive: after the published attacks on signed PDFs."""

import re

from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec

from . import cms, pdf as p
from .changes import changes, form_of
from .good import hybrid
from .pdf import form, newest, plain, sign, stamped, stored, updated, with_entries, written
from .pki import DAY, NOW, crl, token


def sealed_as(w, kind, source, **options):
    """A seal of each kind that permits more or less."""
    level = {"approved": None, "certified-1": 1, "certified-2": 2, "certified-3": 3}[kind]
    return sign(source, w.seal, certify=level, **options)


KINDS = ["approved", "certified-1", "certified-2", "certified-3"]


def shadow(files, w):
    """Shadow attacks: what is to be shown is in the document when it is sealed, hidden; and an update shows it."""
    for kind in KINDS:
        # Hide: an overlay covers the content. The update takes the overlay away.
        overlay = p.stream("1 1 1 rg 0 0 595 842 re f", "/Type /XObject /Subtype /Form /BBox [0 0 595 842]")
        both = "/Resources << /Font << /F1 5 0 R >> /XObject << /Over 6 0 R >> >> "
        content = (
            p.text("I owe you 900")[:-10].rsplit(b"stream\n", 1)[1]
            + b" /Over Do BT /F1 18 Tf 72 700 Td (I owe you 100) Tj ET"
        )
        objects = plain(more=[overlay])
        objects[3] = p.page(4).replace("/Resources << /Font << /F1 5 0 R >> >>", both)
        objects[4] = p.stream(content)
        one = sealed_as(w, kind, written(objects))
        empty = p.stream("", "/Type /XObject /Subtype /Form /BBox [0 0 0 0]")
        hide = updated(one, {6: empty})
        files.hostile(f"shadow-hide-{kind}", hide)
        files.hostile(f"shadow-hide-freed-{kind}", updated(one, {}, free=[6]))
        # Replace: another value over a field, or another font under the text.
        one = sealed_as(w, kind, written(form()), existing=True)
        field = newest(one, 6).replace(b"(100)", b"(900)")
        replace = updated(one, {6: field, 10: p.appearance("900")})
        files.hostile(f"shadow-replace-field-{kind}", replace)
        files.hostile(f"shadow-replace-appearance-{kind}", updated(one, {10: p.appearance("900")}))
        files.hostile(f"shadow-replace-font-{kind}", updated(one, {5: p.FONT.replace("Helvetica", "ZapfDingbats")}))
        # Hide and replace: a second tree of pages is in the file, and the update switches to it.
        objects = plain()
        objects |= {
            6: "<< /Type /Pages /Kids [7 0 R] /Count 1 >>",
            7: p.page(8, parent=6),
            8: p.text("I owe you 900"),
        }
        one = sealed_as(w, kind, written(objects))
        root = p.root_of(one)
        switched = updated(one, {root: newest(one, root).replace(b"/Pages 2 0 R", b"/Pages 6 0 R")})
        files.hostile(f"shadow-hide-and-replace-{kind}", switched)
        # And the same by the cross-references alone: the number of the page leads to the other page.
        moved = reference_moved(one, 4, one.index(b"\n8 0 obj") + 1, 8)
        files.hostile(f"shadow-references-alone-{kind}", moved)
        if kind in ("approved", "certified-1"):
            for name, made in [("hide", hide), ("replace-field", replace), ("hide-and-replace", switched)]:
                files.hostile(f"shadow-{name}-{kind}-timestamped", stamped(made, w.tsa))
                files.hostile(f"shadow-{name}-{kind}-stored", stored(made, [w.ca], [crl(w.ca)]))
                files.hostile(f"shadow-{name}-{kind}-signed", sign(made, w.mallory, "Mine"))


def reference_moved(pdf, number, offset, real):
    """An update whose cross-reference of a number leads to another object of the old revision."""
    out = pdf + b"\n"
    start = len(out)
    prev = int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    out += f"xref\n{number} 1\n{offset:010} 00000 n \n".encode()
    out += f"trailer\n<< /Root {p.root_of(pdf)} 0 R /Size {p.size_of(pdf)} /Prev {prev} >>\n".encode()
    out += f"startxref\n{start}\n%%EOF\n".encode()
    return out


def forgery(files, w, source):
    """Universal signature forgery: a signature that a viewer finds, and cannot check."""
    good = sign(source, w.seal)
    add = lambda name, made: files.hostile(f"forgery-{name}", made)
    # Of a document that says something else.
    evil = good.replace(b"I owe you 100", b"I owe you 900")
    found = re.search(rb"/ByteRange \[[^\]]*\]", evil)
    range_ = found.group(0)
    at = range_.split(b"[")[1].split(b"]")[0].split()
    for name, value in [
        ("no-range", b""),
        ("null-range", b"/ByteRange null"),
        ("empty-range", b"/ByteRange []"),
        ("range-of-nothing", b"/ByteRange [0 0 0 0]"),
        ("negative-range", b"/ByteRange [0 -1 %s -1]" % at[2]),
        ("range-of-names", b"/ByteRange [/a /b /c /d]"),
        ("short-range", b"/ByteRange [0 %s]" % at[1]),
        ("long-range", b"/ByteRange [0 %s %s 99999999]" % (at[1], at[2])),
        ("three-ranges", b"/ByteRange [0 9 9 9 9 9]"),
        ("huge-range", b"/ByteRange [0 99999999999999999999 0 1]"),
        ("start-not-0", b"/ByteRange [9 %s %s 9]" % (at[1], at[2])),
    ]:
        assert len(value) <= len(range_) + 30
        add(name, evil.replace(range_, value.ljust(len(range_))[: max(len(value), len(range_))]))
    start, end = p.contents_of(evil)
    for name, value in [
        ("no-contents", b""),
        ("zeros", b"/Contents <" + b"0" * (end - start) + b">"),
        ("empty-contents", b"/Contents <>"),
        ("null-contents", b"/Contents null"),
        ("one-zero", b"/Contents <00>"),
        ("name-contents", b"/Contents /Valid"),
    ]:
        old = evil[evil.rindex(b"/Contents", 0, start) : end + 1]
        add(name, evil.replace(old, value.ljust(len(old))))
    add("content-changed", evil)
    add("no-subfilter", evil.replace(b"/SubFilter /ETSI.CAdES.detached", b"/SubFilter null".ljust(31)))
    add("not-a-signature", evil.replace(b"/FT /Sig", b"/FT /Tx "))


def wrapping(files, w, source):
    """Signature wrapping: the signed bytes move to the end, and others stand between them."""
    good = sign(source, w.seal)
    start, end = p.contents_of(good)
    found = re.search(rb"/ByteRange \[([^\]]*)\]", good)
    tail = good[end + 1 :]
    for name, middle in [
        ("catalog", b"1 0 obj\n<< /Type /Catalog /Pages 60 0 R >>\nendobj\n"),
        ("page", b"4 0 obj\n" + p.text("I owe you 900") + b"\nendobj\n"),
        ("padding", b" " * 200),
        ("comment", b"% I owe you 900\n"),
    ]:
        head = good[: end + 1]
        place = head + b">>\nendobj\n" + middle
        new = b"/ByteRange [0 %d %d %d]" % (start - 1, len(place), len(tail))
        # Of the same length as before, so that the first part keeps its place.
        if len(new) > len(found.group(0)):
            continue
        made = place.replace(found.group(0), new.ljust(len(found.group(0)))) + tail
        files.hostile(f"wrapping-{name}", made)
    # In the gap itself: behind the signature, before what closes it.
    inside = good[: end - 40] + b">/Evil(" + b"x" * 32 + b")" + good[end:]
    files.hostile("wrapping-in-the-gap", inside[: len(good)])
    files.hostile("wrapping-white-space-in-the-gap", good[: end - 40] + b" " * 40 + good[end:])
    # A smaller gap, or a larger one, than the signature has.
    for name, by in [("larger", -40), ("smaller", 2)]:
        numbers = found.group(1).split()
        new = b"/ByteRange [0 %d %s %s]" % (int(numbers[1]) + by, numbers[2], numbers[3])
        files.hostile(f"wrapping-{name}-gap", good.replace(found.group(0), new.ljust(len(found.group(0)))))


def saving(files, w, source):
    """Incremental saving: what is behind the signature is not quite an update, so that a check overlooks it."""
    good = sign(source, w.seal)
    evil = {4: p.text("I owe you 900")}
    add = lambda name, made: files.hostile(f"saving-{name}", made)
    whole = updated(good, evil)
    add("whole", whole)
    add("no-table", updated(good, evil, table=False))
    add(
        "no-table-but-end",
        updated(good, evil, table=False) + b"startxref\n%d\n%%%%EOF\n" % good.rindex(b"xref\n", 0, -20),
    )
    add("no-trailer", whole[: whole.rindex(b"trailer")])
    add("no-startxref", whole[: whole.rindex(b"startxref")])
    add("no-end", whole[: whole.rindex(b"%%EOF")])
    add("trailer-alone", good + b"trailer\n<< /Root 1 0 R >>\n")
    add("second-document", good + written(plain()))
    add("second-document-first", written(plain()) + good)
    add("hidden-object", updated(good + b"4 0 obj\n" + evil[4] + b"\nendobj\n", {}))
    # With a copy of the signature object, as if it belonged to the update.
    number = value_of(good)
    copied = newest(good, number)
    add("with-signature", updated(good, evil | {number: copied}))
    field = field_of(good)
    size = p.size_of(good)
    moved = re.sub(rb"/V \d+ 0 R", b"/V %d 0 R" % size, newest(good, field))
    add("with-moved-signature", updated(good, evil | {size: copied, field: moved}))
    add("white-space", good + b" " * 100)
    add("comment", good + b"% I owe you 900\n")
    add("zeros", good + bytes(100))
    add("timestamped", stamped(whole, w.tsa))
    add("stored", stored(whole, [w.ca], [crl(w.ca)]))
    add("old-revision-again", updated(updated(good, evil), {4: newest(source, 4)}))
    add("prev-skips-the-seal", updated(good, evil, prev=source.rindex(b"xref\n0 ")))
    add("prev-in-a-circle", updated(good, evil, prev=len(good) + 1))
    add(
        "root-replaced",
        updated(
            good,
            {
                60: "<< /Type /Catalog /Pages 61 0 R >>",
                61: "<< /Type /Pages /Kids [62 0 R] /Count 1 >>",
                62: p.page(63, parent=61),
                63: p.text("I owe you 900"),
            },
            root=60,
        ),
    )


def updates(files, w, source):
    """Updates of every kind after a seal, before a timestamp, and between two seals."""
    one = sign(written(plain(pages=2)), w.seal)
    for name, made in changes(w, one):
        files.hostile(f"after-{name}", made)
        # What pyHanko's writer takes back itself.
        if name == "need-appearances":
            continue
        files.hostile(f"after-{name}-timestamped", stamped(made, w.tsa))
        files.hostile(f"between-{name}", sign(made, w.second, "Signature2"))
    store = stamped(stored(one, [w.ca], [crl(w.ca)]), w.tsa)
    for name, made in changes(w, store):
        if name in ("content", "free-text", "page-added", "catalog-as-store", "attachment"):
            files.hostile(f"archived-{name}", made)
            files.hostile(f"archived-{name}-timestamped", stamped(made, w.tsa, field="Timestamp2"))


def permissions(files, w):
    """What a certification or a lock does not permit."""
    base = written(form())
    amount = lambda pdf: updated(pdf, {6: newest(pdf, 6).replace(b"(100)", b"(900)"), 10: p.appearance("900")})
    for level in (1, 2, 3):
        one = sign(base, w.seal, existing=True, certify=level)
        files.hostile(f"certified-{level}-field-filled-and-stamped", stamped(amount(one), w.tsa))
        if level == 1:
            files.hostile("certified-1-signed-again", sign(one, w.second, "Signature2", existing=True))
            files.hostile("certified-1-signed-in-new-field", sign(one, w.second, "Signature3"))
            files.hostile("certified-1-signed-by-stranger", sign(one, w.mallory, "Signature2", existing=True))
        else:
            # The sneaky signature attack: a permitted signature whose appearance covers the page.
            cover = sign(one, w.mallory, "Mine", box=(0, 0, 595, 842))
            files.hostile(f"certified-{level}-covered-by-stranger", cover)
            # The evil annotation attack.
            for name, made in changes(w, one):
                if name in ("free-text", "stamp", "redaction", "highlight", "link"):
                    files.hostile(f"certified-{level}-{name}", made)
        number = value_of(one)
        if level == 1:
            text = newest(one, number)
            looser = re.sub(rb"/P 1\b", b"/P 3", text)
            files.hostile("certified-1-loosened", updated(amount(one), {number: looser}))
            root = p.root_of(one)
            without = re.sub(rb"/Perms (<<[^>]*>>|\d+ 0 R)", b"", newest(one, root))
            files.hostile("certified-1-not-in-perms", updated(one, {root: without}))
            files.hostile("certified-1-not-in-perms-and-filled", amount(updated(one, {root: without})))
    for action, names, word in [
        (FieldMDPAction.ALL, None, "all"),
        (FieldMDPAction.INCLUDE, ["Amount", "Signature2"], "include"),
        (FieldMDPAction.EXCLUDE, ["Agree"], "exclude"),
    ]:
        one = sign(base, w.seal, existing=True, lock=FieldMDPSpec(action, names))
        files.hostile(f"lock-{word}-field-filled", amount(one))
        files.hostile(f"lock-{word}-signed", sign(one, w.second, "Signature2", existing=True))
        files.hostile(f"lock-{word}-filled-between", sign(amount(one), w.second, "Other"))
    one = sign(base, w.seal, existing=True)
    removed = re.sub(rb"8 0 R ", b"", newest(one, p.root_of(one)), count=1)
    files.hostile(
        "field-of-seal-removed", updated(sign(one, w.mallory, "Signature2", existing=True), {p.root_of(one): removed})
    )
    lock_level = sign(base, w.seal, existing=True, lock=FieldMDPSpec(FieldMDPAction.ALL), lock_level=1)
    files.hostile("lock-level-1-signed", sign(lock_level, w.second, "Signature2", existing=True))


def copies(files, w, source):
    """Timestamps and signatures that were copied from elsewhere, or used more than once."""
    good = sign(source, w.seal)
    other = sign(written(plain() | {4: p.text("I owe you 900")}), w.seal)
    start, end = p.contents_of(good)
    files.hostile("copied-signature", p.with_contents(other, bytes.fromhex(good[start:end].decode()).rstrip(b"\0")))
    stamp = stamped(good, w.tsa)
    elsewhere = stamped(other, w.tsa)
    start, end = p.contents_of(stamp)
    token_ = bytes.fromhex(stamp[start:end].decode()).rstrip(b"\0")
    files.hostile("copied-document-timestamp", p.with_contents(elsewhere, token_))
    twice = stamped(stamp, w.tsa, field="Timestamp2")
    files.hostile("same-timestamp-twice", p.with_contents(twice, token_))
    size = p.size_of(good)
    value = value_of(good)
    field = f"<< /FT /Sig /T (Copy) /V {value} 0 R /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /P 3 0 R >>"
    number, text = form_of(good, p.root_of(good))
    fields_ = re.search(rb"/Fields (\d+) 0 R", text)
    if fields_:
        number = int(fields_.group(1))
        text = newest(good, number)
        text = text[:-1] + b" %d 0 R]" % size
    else:
        text = text.replace(b"/Fields [", b"/Fields [%d 0 R " % size)
    files.hostile("value-of-two-fields", updated(good, {number: text, size: field}))
    files.hostile("value-of-two-fields-timestamped", stamped(updated(good, {number: text, size: field}), w.tsa))
    # Before it is signed: two fields with one value, both under the signature.
    two = written(form().copy())
    both = sign(two, w.seal, existing=True)
    value = value_of(both)
    twin = updated(two, {9: with_entries(newest(two, 9), f"/V {value} 0 R")})
    files.hostile("value-of-two-fields-signed", sign(twin, w.seal, existing=True))
    copied_object = updated(
        good,
        {
            size: newest(good, value_of(good)),
            size + 1: field.replace(f"/V {value_of(good)}", f"/V {size}"),
            number: text.replace(b"%d 0 R" % size, b"%d 0 R" % (size + 1)),
        },
    )
    files.hostile("signature-object-copied", copied_object)
    stamp_of_other = lambda value: token(b"another signature", w.tsa, NOW - DAY)
    files.hostile("copied-signature-timestamp", sign(source, w.seal, unsigned=[cms.stamped(stamp_of_other)]))


def value_of(pdf):
    return int(re.search(rb"/V (\d+) 0 R", pdf).group(1))


def field_of(pdf):
    """The number of the field of a signature."""
    at = re.search(rb"/V \d+ 0 R", pdf).start()
    return int(re.findall(rb"(\d+) 0 obj", pdf[:at])[-1])


def structures(files, w, source):
    """Cross-references that lead readers to different documents."""
    add = lambda name, made: files.hostile(f"structure-{name}", made)
    hidden = sign(hybrid(), w.seal)
    # A reader of tables alone sees no change; a reader of streams sees the new content.
    out = hidden + b"\n"
    at = len(out)
    size = p.size_of(hidden)
    out += b"%d 0 obj\n" % size + p.text("I owe you 900") + b"\nendobj\n"
    beside = len(out)
    rows = bytes([1]) + at.to_bytes(4, "big") + bytes([0])
    head = f"/Type /XRef /W [1 4 1] /Index [4 1] /Size {size + 1} /Root 1 0 R"
    out += b"%d 0 obj\n" % (size + 1) + p.stream(rows, head) + b"\nendobj\n"
    start = len(out)
    prev = int(re.findall(rb"startxref\s+(\d+)", hidden)[-1])
    out += f"xref\n0 0\ntrailer\n<< /Root 1 0 R /Size {size + 2} /Prev {prev} /XRefStm {beside} >>\n".encode()
    out += f"startxref\n{start}\n%%EOF\n".encode()
    add("hybrid-update", out)
    add("hybrid-update-timestamped", stamped(out, w.tsa))
    good = sign(source, w.seal)
    # Two places for one object, in one table, under the signature.
    two = double(source)
    add("two-places", sign(two, w.seal))
    add("two-headers", b"%PDF-1.4\n" + good)
    add("generation", generation(good))
    add("startxref-twice", good + b"startxref\n%d\n%%%%EOF\n" % source.rindex(b"xref\n0 "))


def double(source):
    evil = b"4 0 obj\n" + p.text("I owe you 900") + b"\nendobj\n"
    start = source.rindex(b"xref\n0 ")
    out = source[:start] + evil
    table = source[start : source.index(b"trailer", start)] + f"4 1\n{start:010} 00000 n \n".encode()
    trailer = source[source.index(b"trailer", start) : source.rindex(b"startxref")]
    return out + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(out)


def generation(good):
    """The content of the page again, with another generation."""
    out = good + b"4 1 obj\n" + p.text("I owe you 900") + b"\nendobj\n"
    at, start = len(good), len(out)
    prev = int(re.findall(rb"startxref\s+(\d+)", good)[-1])
    out += f"xref\n4 1\n{at:010} 00001 n \ntrailer\n<< /Root 1 0 R /Size {p.size_of(good)} /Prev {prev} >>\n".encode()
    return out + b"startxref\n%d\n%%%%EOF\n" % start


def make(files, w):
    source = written(plain())
    shadow(files, w)
    forgery(files, w, source)
    wrapping(files, w, source)
    saving(files, w, source)
    updates(files, w, source)
    permissions(files, w)
    copies(files, w, source)
    structures(files, w, source)
