"""Documents that are right: sealed by the right party, and unchanged but for what may follow."""

import subprocess
import tempfile
from io import BytesIO
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec

from . import cms, pdf as p, pki
from .pki import DAY, NOW, Issued, crl, ocsp_response, revocation_info, token
from .pdf import form, plain, sign, stamped, stored, updated, written


def openssl(signer, *options):
    """CMS by OpenSSL."""

    def make(covered):
        with tempfile.TemporaryDirectory() as directory:
            directory = Path(directory)
            key = signer.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            (directory / "key.pem").write_bytes(key)
            (directory / "signer.pem").write_bytes(signer.pem())
            (directory / "chain.pem").write_bytes(b"".join(one.pem() for one in signer.chain[1:-1]))
            (directory / "data").write_bytes(covered)
            command = [
                "openssl",
                "cms",
                "-sign",
                "-binary",
                "-outform",
                "DER",
                "-md",
                "sha256",
                "-signer",
                "signer.pem",
            ]
            command += ["-inkey", "key.pem", "-certfile", "chain.pem", "-in", "data", *options]
            return subprocess.run(command, cwd=directory, check=True, capture_output=True).stdout

    return make


def algorithms(files, w, source):
    for name, key, digest in [
        ("p256", ec.SECP256R1(), "sha256"),
        ("p384", ec.SECP384R1(), "sha384"),
        ("p521", ec.SECP521R1(), "sha512"),
    ]:
        signer = Issued(name, w.ca, key=ec.generate_private_key(key))
        files.good(f"algorithm-{name}", sign(source, signer, digest=digest))
    files.good("algorithm-rsa", sign(source, w.rsa))
    files.good("algorithm-rsa-sha512", sign(source, w.rsa, digest="sha512"))
    files.good("algorithm-rsa-3072", sign(source, Issued("RSA", w.ca, key=pki.rsa_key(3072))))
    files.good("algorithm-pss", sign(source, w.rsa, pss=32))
    files.good("algorithm-pss-long-salt", sign(source, w.rsa, pss=64))


def encodings(files, w, source):
    """DER and BER, by several makers."""
    shapes = {
        "indefinite": {},
        "outer": {"depth": 2},
        "middle": {"depth": 4},
        "long-lengths": {"long": True},
        "pieces": {"pieces": 20},
    }

    def of(shape, **options):
        def make(covered):
            digested = cms.hashlib.sha256(covered).digest()
            der = cms.signed_data(w.seal, digested, **options)
            return cms.ber(der, untouched=cms.fixed(der), **shape)

        return make

    for pades, form_ in [(True, "pades"), (False, "pkcs7")]:
        files.good(f"der-{form_}", sign(source, w.seal, pades=pades))
        for name, shape in shapes.items():
            made = sign(source, None, pades=pades, make=of(shape, must_name=pades))
            files.good(f"ber-{name}-{form_}", made)
    stamp = [cms.stamped(lambda value: token(value, w.tsa))]
    files.good("ber-with-timestamp", sign(source, None, make=of({}, unsigned=stamp)))
    files.good("ber-with-lists", sign(source, None, make=of({}, crls=[crl(w.ca)])))
    # Streaming, OpenSSL writes BER, and the content into it.
    attached = sign(source, None, pades=False, make=openssl(w.seal, "-stream"))
    files.bad("cms-with-the-same-content", attached)
    files.good("der-openssl-cades", sign(source, None, make=openssl(w.rsa, "-cades")))
    files.good("der-openssl-key-id", sign(source, None, pades=False, make=openssl(w.seal, "-keyid")))
    files.good("der-unordered", sign(source, w.seal, order=lambda parts: parts[::-1]))
    files.good("der-key-identifier", sign(source, w.seal, sid="key"))
    files.good("der-signing-time", sign(source, w.seal, pades=False, time=NOW))
    files.good("der-with-root", sign(source, w.seal, certs=w.seal.chain))
    files.good("der-certificates-reversed", sign(source, w.seal, certs=w.seal.chain[::-1] + w.mallory.chain))
    files.good("der-old-name-of-certificate", sign(source, w.seal, names=cms.named(w.seal, "sha1")))
    files.good("der-name-with-sha512", sign(source, w.seal, names=cms.named(w.seal, "sha512")))
    whole = 2 * len(cms.signed_data(w.rsa, bytes(32)))
    files.good("der-no-padding", sign(source, w.rsa, reserve=whole))
    in_store = stored(sign(source, w.seal, certs=[w.seal]), certs=[w.ca], crls=[crl(w.ca)])
    files.good("der-chain-in-store", in_store)


def revocation(files, w, source):
    """Every place for revocation values: of an authority that publishes none, with and without a timestamp."""
    lists = [crl(w.dark), crl(w.root)]
    by = pki.responder(w.dark)
    responses = [ocsp_response(w.quiet), ocsp_response(w.dark)]
    delegated = [ocsp_response(w.quiet, by=by), ocsp_response(w.dark)]
    add = files.good

    def of_stamp(value):
        # The lists stand in the timestamp, as those who stamp may do.
        made = pki.NOW - pki.DAY / 48
        return token(value, w.tsa, made)

    for time, stamp in [("", None), ("-timestamped", (w.tsa,))]:

        def one(**options):
            return sign(source, w.quiet, timestamp=stamp, **options)

        add(f"values-none{time}", one())
        add(f"values-store-list{time}", stored(one(), [w.dark], lists))
        add(f"values-store-response{time}", stored(one(), [w.dark], [], responses))
        add(f"values-store-delegated{time}", stored(one(), [w.dark], [], delegated))
        add(f"values-store-related{time}", stored(one(), [w.dark], lists, responses, vri=True))
        add(f"values-signed-list{time}", one(signed=[revocation_info(lists)]))
        add(f"values-signed-response{time}", one(signed=[revocation_info([], responses)]))
        add(f"values-signed-both{time}", one(signed=[revocation_info(lists, responses)]))
        add(f"values-unsigned-adobe{time}", one(unsigned=[revocation_info(lists)]))
        add(f"values-cades-list{time}", one(unsigned=[cms.revocation_values(lists)]))
        add(f"values-cades-response{time}", one(unsigned=[cms.revocation_values([], responses)]))
        chain = one(unsigned=[cms.certificate_values(w.dark, w.root), cms.revocation_values(lists)], certs=[w.quiet])
        add(f"values-cades-chain{time}", chain)
        add(f"values-cms-list{time}", one(crls=lists))
        add(f"values-cms-response{time}", one(others=responses))
    # Of a certificate that has ended: its values, and its time.
    lists = [crl(w.dark, at=NOW - 3 * DAY), crl(w.root, at=NOW - 3 * DAY)]
    stamp = (w.tsa, NOW - 2 * DAY)
    late = [crl(w.dark, at=NOW - 2 * DAY), crl(w.root, at=NOW - 2 * DAY), crl(w.stamps, at=NOW - 2 * DAY)]

    def ended(**options):
        return sign(source, w.ended, timestamp=stamp, claimed=NOW - 2 * DAY, **options)

    add("ended-signed-list", ended(signed=[revocation_info(lists)]))
    add("ended-signed-response", ended(signed=[revocation_info([], [ocsp_response(w.ended, NOW - 3 * DAY)])]))
    add("ended-cms-list", ended(crls=lists))
    add("ended-cades-list", ended(unsigned=[cms.revocation_values(late)]))
    add("ended-store-list", stored(ended(), [w.dark, w.root], late))
    add("ended-none", ended())
    archived = stamped(stored(ended(), [w.dark, w.root], late), w.tsa, NOW - 2 * DAY + DAY / 24)
    add("ended-store-list-archived", archived)
    revoked_later = [crl(w.dark, [(w.ended, NOW - 1.5 * DAY)], at=NOW - DAY), crl(w.root)]
    add("revoked-after-timestamp", stored(ended(), [w.dark], revoked_later))


def certifications(files, w, source):
    for level in (1, 2, 3):
        one = sign(source, w.seal, certify=level)
        files.good(f"certified-{level}", one)
        files.good(f"certified-{level}-pkcs7", sign(source, w.seal, certify=level, pades=False))
        store = stored(one, [w.ca], [crl(w.ca), crl(w.root)])
        files.good(f"certified-{level}-store", store)
        files.good(f"certified-{level}-timestamp", stamped(one, w.tsa))
        files.good(f"certified-{level}-archived", stamped(store, w.tsa))
        if level > 1:
            two = sign(one, w.second, "Signature2")
            files.good(f"certified-{level}-signed-again", two)
            files.good(f"certified-{level}-signed-again-archived", stamped(stored(two, [w.ca], [crl(w.ca)]), w.tsa))


def locks(files, w):
    base = written(form())
    for action, names in [
        (FieldMDPAction.ALL, None),
        (FieldMDPAction.INCLUDE, ["Amount"]),
        (FieldMDPAction.EXCLUDE, ["Signature2"]),
    ]:
        lock = FieldMDPSpec(action, names)
        word = action.name.lower()
        one = sign(base, w.seal, existing=True, lock=lock)
        files.good(f"lock-{word}", one)
        files.good(f"lock-{word}-archived", stamped(stored(one, [w.ca], [crl(w.ca)]), w.tsa))
        certified = sign(base, w.seal, existing=True, lock=lock, certify=2)
        files.good(f"lock-{word}-certified", certified)
        if action != FieldMDPAction.ALL:
            files.good(f"lock-{word}-signed-again", sign(one, w.second, "Signature2", existing=True))
    files.good("lock-level-1", sign(base, w.seal, existing=True, lock=FieldMDPSpec(FieldMDPAction.ALL), lock_level=1))
    spec = SigFieldSpec("Locked", field_mdp_spec=FieldMDPSpec(FieldMDPAction.INCLUDE, ["Amount"]))
    spec2 = SigFieldSpec("Locked", doc_mdp_update_value=MDPPerm.FILL_FORMS, field_mdp_spec=spec.field_mdp_spec)
    for name, one in [("lock-of-field", spec), ("lock-of-field-with-level", spec2)]:
        files.good(name, sign(base, w.seal, "Locked", spec=one, lock=one.field_mdp_spec))


def updates(files, w, source):
    """What may stand before, between and after signatures and timestamps."""
    before = updated(source, {4: p.text("I owe you 200")})
    one = sign(before, w.seal)
    files.good("update-before", one)
    files.good("update-twice-before", sign(updated(before, {}), w.seal))
    lists = [crl(w.ca), crl(w.root)]
    store = stored(one, [w.ca], lists)
    files.good("update-store-after", store)
    files.good("update-store-twice", stored(store, [w.root], [crl(w.stamps)]))
    files.good("update-store-between", sign(store, w.second, "Signature2"))
    files.good("update-timestamp-after", stamped(one, w.tsa))
    files.good("update-timestamp-between", sign(stamped(one, w.tsa), w.second, "Signature2"))
    files.good("update-two-timestamps", stamped(stamped(one, w.tsa), w.tsa, field="Timestamp2"))
    files.good("update-timestamp-first", sign(stamped(source, w.tsa), w.seal))
    files.good("update-empty-after", updated(one, {}))
    archived = stamped(store, w.tsa)
    files.good(
        "update-archived-twice", stamped(stored(archived, [w.stamps], [crl(w.stamps)]), w.tsa, field="Timestamp2")
    )
    files.good("update-two-signatures", sign(one, w.second, "Signature2"))
    files.good("update-three-signatures", sign(sign(one, w.second, "Signature2"), w.seal, "Signature3"))
    visible = sign(source, w.seal, box=(50, 50, 250, 100))
    files.good("visible", visible)
    files.good("visible-twice", sign(visible, w.second, "Signature2", box=(300, 50, 500, 100)))
    files.good(
        "in-place-of-fields", sign(sign(written(form()), w.seal, existing=True), w.second, "Signature2", existing=True)
    )
    two = [(w.tsa, NOW - DAY), (w.tsa, NOW - DAY / 2)]
    stamps = [cms.stamped(lambda value, one=one: token(value, *one)) for one in two]
    files.good("two-signature-timestamps", sign(source, w.seal, unsigned=stamps))
    extra = {
        p.pdf_name("/Reason"): generic.pdf_string("Avtale"),
        p.pdf_name("/Location"): generic.pdf_string("Oslo"),
        p.pdf_name("/Name"): generic.pdf_string("Kari Nordmann"),
    }
    files.good("with-reason", sign(source, w.seal, extra=extra))
    # Timestamps that prove nothing, of a seal that needs no proof: they are left out (EN 319 102-1, 5.5.4, step 3).
    no_tsa = Issued("No TSA", w.stamps, usage=("digital_signature",), organization="Timestamps AS")
    ended_tsa = w.stamps.tsa("TSA that ended", start=NOW - pki.YEAR, end=NOW - DAY)
    revoked_tsa = w.stamps.tsa("TSA that was revoked")
    files.good("ignored-timestamp-of-a-stranger", stamped(one, w.foreign_tsa))
    files.good("ignored-timestamp-of-a-sealer", stamped(one, no_tsa))
    files.good("ignored-timestamp-after-its-authority", stamped(one, ended_tsa))
    files.good("ignored-timestamp-of-the-future", stamped(one, w.tsa, NOW + 3 * DAY))
    values = [crl(w.stamps, [(revoked_tsa, NOW - 5 * DAY)], at=NOW - DAY / 48)]
    files.good("ignored-timestamp-of-a-revoked", stamped(stored(one, [w.stamps], values), revoked_tsa))
    files.good("ignored-signature-timestamp", sign(source, w.seal, timestamp=(w.foreign_tsa,)))


def structures(files, w):
    """PDFs as different programs write them."""
    old = written(plain(), version="1.4")
    files.good("structure-1.4", sign(old, w.seal))
    files.good("structure-2.0", sign(written(plain(), version="2.0"), w.seal))
    files.good("structure-30-pages", sign(written(plain(pages=30)), w.seal))
    modern = BytesIO()
    copy_into_new_writer(PdfFileReader(BytesIO(old)), writer_kwargs={"stream_xrefs": True}).write(modern)
    modern = modern.getvalue()
    files.good("structure-streams", sign(modern, w.seal))
    files.good("structure-streams-signed-again", sign(sign(modern, w.seal), w.second, "Signature2"))
    files.good("structure-streams-archived", stamped(stored(sign(modern, w.seal), [w.ca], [crl(w.ca)]), w.tsa))
    for name, options in [
        ("linear", ["--linearize"]),
        ("packed", ["--object-streams=generate"]),
        ("linear-packed", ["--linearize", "--object-streams=generate"]),
    ]:
        with tempfile.TemporaryDirectory() as directory:
            source, made = Path(directory) / "source.pdf", Path(directory) / "made.pdf"
            source.write_bytes(written(form()))
            subprocess.run(["qpdf", *options, "--deterministic-id", source, made], check=True)
            files.good(f"structure-{name}", sign(made.read_bytes(), w.seal, existing=True))
    files.good("structure-hybrid", sign(hybrid(), w.seal))
    deep = sign(written(plain()), w.seal)
    for at in range(20):
        deep = updated(deep, {})
    files.good("structure-20-empty-updates", deep)
    comments = written(plain(), trailer="% a comment\n").replace(b"%PDF-1.7\n", b"%PDF-1.7\r\n", 1)
    files.good("structure-xref-moved", sign(updated(comments, {}, prev=comments.rindex(b"xref\n0 ")), w.seal))


def hybrid(hidden=None):
    """Cross-references as a table and, for what readers of streams alone see, a stream beside it."""
    objects = plain()
    base = written(objects)
    number = 6
    content = hidden or b"<< /Producer (hybrid) >>"
    out = base
    at = len(out)
    packed = f"{number} 0 ".encode() + content
    head = f"/Type /ObjStm /N 1 /First {len(f'{number} 0 ')}"
    out += b"7 0 obj\n" + p.stream(packed, head) + b"\nendobj\n"
    rows = bytes([2]) + (7).to_bytes(4, "big") + bytes([0])
    rows += bytes([1]) + at.to_bytes(4, "big") + bytes([0])
    beside = len(out)
    head = "/Type /XRef /W [1 4 1] /Index [6 2] /Size 8 /Root 1 0 R"
    out += b"8 0 obj\n" + p.stream(rows, head) + b"\nendobj\n"
    start = len(out)
    out += b"xref\n6 3\n0000000000 65535 f \n0000000000 65535 f \n" + f"{beside:010} 00000 n \n".encode()
    previous = base.rindex(b"xref\n0 ")
    out += (
        f"trailer\n<< /Root 1 0 R /Size 9 /Prev {previous} /XRefStm {beside} >>\nstartxref\n{start}\n%%EOF\n".encode()
    )
    return out


def make(files, w):
    source = written(plain())
    files.source("plain.pdf", source)
    files.source("signed.pdf", sign(source, w.seal))
    algorithms(files, w, source)
    encodings(files, w, source)
    revocation(files, w, source)
    certifications(files, w, source)
    locks(files, w)
    updates(files, w, source)
    structures(files, w)
