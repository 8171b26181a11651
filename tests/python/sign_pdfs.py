"""Signs a PDF in many ways with pyHanko, and says of each what pyHanko thinks: sign_pdfs.py PDF DIRECTORY.

Writes root.pem and NAME.pdf, and one line for each file: its name, then `good` or `bad`. Good means that every signature is
intact, made by a certificate under the root, and that one of them covers the file to its end.
"""

import datetime
import logging
import sys
from io import BytesIO
from pathlib import Path

from asn1crypto import algos, keys, x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.generic import pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

logging.disable(logging.CRITICAL)

NOW = datetime.datetime.now(datetime.timezone.utc)
YEAR = datetime.timedelta(days=365)
DAY = datetime.timedelta(days=1)


def subject(name):
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"), x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Issued:
    """A certificate and its key."""

    def __init__(self, name, key, issuer=None, usage="sign", start=NOW - YEAR, end=NOW + YEAR, purpose=None):
        self.key = key
        signer = issuer or self
        is_ca = usage == "ca"
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject(name))
            .issuer_name(issuer.cert.subject if issuer else subject(name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(is_ca, None), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=usage == "data",
                    content_commitment=usage in ("sign", "both"),
                    key_encipherment=usage == "encrypt",
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=is_ca,
                    crl_sign=is_ca,
                    encipher_only=False,
                    decipher_only=False,
                ),
                True,
            )
        )
        if purpose:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), True)
        self.cert = builder.sign(signer.key, hashes.SHA256())
        self.chain = [self] + (issuer.chain if issuer else [])

    def asn1(self):
        return asn1_x509.Certificate.load(self.cert.public_bytes(serialization.Encoding.DER))

    def private(self):
        der = self.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return keys.PrivateKeyInfo.load(der)

    def signer(self, **options):
        others = [issued.asn1() for issued in self.chain[1:]]
        registry = SimpleCertificateStore.from_certs(others)
        return signers.SimpleSigner(
            signing_cert=self.asn1(), signing_key=self.private(), cert_registry=registry, **options
        )


def rsa_key(bits=2048):
    return rsa.generate_private_key(65537, bits)


def pss(salt_length):
    sha256 = {"algorithm": "sha256"}
    mask = {"algorithm": "mgf1", "parameters": sha256}
    params = {"hash_algorithm": sha256, "mask_gen_algorithm": mask, "salt_length": salt_length}
    return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": params})


def sign(pdf, signer, field="Signature1", pades=True, md="sha256", timestamper=None, **options):
    sub_filter = fields.SigSeedSubFilter.PADES if pades else fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED
    metadata = signers.PdfSignatureMetadata(field_name=field, md_algorithm=md, subfilter=sub_filter, **options)
    out = signers.PdfSigner(metadata, signer=signer, timestamper=timestamper).sign_pdf(
        IncrementalPdfFileWriter(BytesIO(pdf))
    )
    return out.getvalue()


def timestamp(pdf, timestamper):
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    return signers.PdfTimeStamper(timestamper).timestamp_pdf(writer, "sha256", None).getvalue()


def updated(pdf):
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    writer.root["/Lang"] = pdf_string("nb")
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def judge(pdf, root):
    def context():
        return ValidationContext(trust_roots=[root.asn1()], allow_fetching=False)

    usage = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
    try:
        reader = PdfFileReader(BytesIO(pdf), strict=True)
        whole = False
        for signature in reader.embedded_signatures:
            if signature.sig_object.get("/Type") == "/DocTimeStamp":
                status = validate_pdf_timestamp(signature, context())
            else:
                status = validate_pdf_signature(signature, context(), key_usage_settings=usage)
            if not (status.valid and status.intact and status.trusted):
                return "bad"
            whole = whole or status.coverage.name == "ENTIRE_FILE"
        return "good" if whole else "bad"
    except Exception:
        return "bad"


def main():
    source, directory = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
    root = Issued("Root", rsa_key(), usage="ca")
    middle = Issued("Intermediate", rsa_key(), root, usage="ca")
    stranger = Issued("Stranger", rsa_key(), usage="ca")
    seal = Issued("Seal", rsa_key(), middle)
    tsa = Issued("TSA", rsa_key(), middle, usage="data", purpose=ExtendedKeyUsageOID.TIME_STAMPING)
    no_tsa = Issued("No TSA", rsa_key(), middle, usage="data")
    foreign_tsa = Issued("TSA", rsa_key(), stranger, usage="data", purpose=ExtendedKeyUsageOID.TIME_STAMPING)

    def stamper(issued):
        others = SimpleCertificateStore.from_certs([other.asn1() for other in issued.chain[1:]])
        return DummyTimeStamper(tsa_cert=issued.asn1(), tsa_key=issued.private(), certs_to_embed=others)

    modern = BytesIO()
    copy_into_new_writer(PdfFileReader(BytesIO(source)), writer_kwargs={"stream_xrefs": True}).write(modern)

    one = sign(source, seal.signer())
    two = sign(one, Issued("Second", rsa_key(), root).signer(), "Signature2")
    other = sign(source, Issued("Other", rsa_key(), stranger).signer())
    files = {
        "pades": one,
        "pkcs7": sign(source, seal.signer(), pades=False),
        "sha384": sign(source, seal.signer(), md="sha384"),
        "sha512": sign(source, seal.signer(), md="sha512"),
        "pss": sign(source, seal.signer(signature_mechanism=pss(32))),
        "pss-long-salt": sign(source, seal.signer(prefer_pss=True)),
        "rsa4096": sign(source, Issued("Large", rsa_key(4096), middle).signer()),
        "p256": sign(source, Issued("P-256", ec.generate_private_key(ec.SECP256R1()), middle).signer()),
        "p384": sign(source, Issued("P-384", ec.generate_private_key(ec.SECP384R1()), root).signer(), md="sha384"),
        "data-only": sign(source, Issued("Data", rsa_key(), middle, usage="data").signer()),
        "two": two,
        "three": sign(two, seal.signer(), "Signature3"),
        "certified": sign(source, seal.signer(), certify=True, docmdp_permissions=fields.MDPPerm.NO_CHANGES),
        "modern": sign(modern.getvalue(), seal.signer()),
        "modern-two": sign(sign(modern.getvalue(), seal.signer()), seal.signer(), "Signature2"),
        "signature-timestamp": sign(source, seal.signer(), timestamper=stamper(tsa)),
        "document-timestamp": timestamp(one, stamper(tsa)),
        "only-timestamp": timestamp(source, stamper(tsa)),
        "replaced-timestamp": timestamp(updated(one), stamper(tsa)),
        "update-between": sign(updated(one), seal.signer(), "Signature2"),
        # What is not good:
        "unsigned": source,
        "stranger": other,
        "stranger-last": sign(one, Issued("Other", rsa_key(), stranger).signer(), "Signature2"),
        "stranger-first": sign(other, seal.signer(), "Signature2"),
        "expired": sign(source, Issued("Expired", rsa_key(), middle, end=NOW - DAY).signer()),
        "early": sign(source, Issued("Early", rsa_key(), middle, start=NOW + DAY).signer()),
        "encrypt-only": sign(source, Issued("Encrypt", rsa_key(), middle, usage="encrypt").signer()),
        "update-last": updated(one),
        "update-twice": updated(updated(two)),
        "comment-last": one + b"% a comment\n",
        "space-last": one + b" ",
        "no-timestamp-purpose": timestamp(one, stamper(no_tsa)),
        "foreign-timestamp": timestamp(one, stamper(foreign_tsa)),
        "cut": one[:-20],
    }
    # One changed bit, here and there, in what two signatures cover and in the signatures themselves.
    for at in range(0, len(two), max(1, len(two) // 60)):
        changed = bytearray(two)
        changed[at] ^= 1
        files[f"changed-{at}"] = bytes(changed)
    (directory / "root.pem").write_bytes(root.cert.public_bytes(serialization.Encoding.PEM))
    for name, pdf in files.items():
        (directory / f"{name}.pdf").write_bytes(pdf)
        print(name, judge(pdf, root))


main()
