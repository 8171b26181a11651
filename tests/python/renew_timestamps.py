"""Signs a PDF 20 years ago and renews its timestamps since, with pyHanko: renew_timestamps.py PDF DIRECTORY.

Writes seal-root.pem, timestamp-root.pem and: renewed.pdf with all timestamps, NAME.pdf without the timestamp of that name,
early.pdf that ends with the seal's timestamp, and foreign.pdf whose last timestamp is of an authority that nobody trusts.
"""

import datetime
import sys
from io import BytesIO
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from asn1crypto import keys, x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore


def year(number, month=1):
    return datetime.datetime(number, month, 1, tzinfo=datetime.timezone.utc)


class Issued:
    def __init__(self, name, start, end, issuer=None, purpose=None):
        self.key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        is_ca = issuer is None
        usage = dict.fromkeys(
            ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"], False)
        usage.update({"key_cert_sign": is_ca, "crl_sign": is_ca, "digital_signature": not is_ca})
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.cert.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(is_ca, None), True)
            .add_extension(x509.KeyUsage(**usage), True)
        )
        if purpose:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), True)
        self.cert = builder.sign((issuer or self).key, hashes.SHA256())
        self.issuer = issuer

    def asn1(self):
        return asn1_x509.Certificate.load(self.cert.public_bytes(serialization.Encoding.DER))

    def private(self):
        der = self.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return keys.PrivateKeyInfo.load(der)


def main():
    source, directory = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
    root = Issued("Seal root", year(2000), year(2050))
    authority = Issued("Timestamp root", year(2000), year(2060))
    stranger = Issued("Stranger", year(2000), year(2060))
    seal = Issued("Seal", year(2005), year(2008), root)

    def stamper(start, end, at, issuer=authority):
        tsa = Issued(f"TSA of {start}", year(start), year(end), issuer, ExtendedKeyUsageOID.TIME_STAMPING)
        embedded = SimpleCertificateStore.from_certs([issuer.asn1()])
        return DummyTimeStamper(tsa.asn1(), tsa.private(), certs_to_embed=embedded, fixed_dt=at)

    def timestamp(pdf, stamper):
        return signers.PdfTimeStamper(stamper).timestamp_pdf(
            IncrementalPdfFileWriter(BytesIO(pdf)), "sha256", None
        ).getvalue()

    metadata = signers.PdfSignatureMetadata(
        field_name="Signature1", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
    )
    signer = signers.SimpleSigner(
        signing_cert=seal.asn1(),
        signing_key=seal.private(),
        cert_registry=SimpleCertificateStore.from_certs([root.asn1()]),
    )
    sealed = signers.PdfSigner(metadata, signer=signer, timestamper=stamper(2005, 2010, year(2006))).sign_pdf(
        IncrementalPdfFileWriter(BytesIO(source))
    ).getvalue()
    renewals = {
        "2009": stamper(2008, 2015, year(2009)),
        "2014": stamper(2013, 2021, year(2014)),
        "2020": stamper(2019, 2045, year(2020)),
    }

    def renewed(without=None, last=None):
        pdf = sealed
        for name, one in renewals.items():
            if name != without:
                pdf = timestamp(pdf, last if last and name == "2020" else one)
        return pdf

    files = {"renewed": renewed(), "early": sealed} | {name: renewed(name) for name in renewals}
    files["foreign"] = renewed(last=stamper(2019, 2045, year(2020), stranger))
    for name, pdf in files.items():
        (directory / f"{name}.pdf").write_bytes(pdf)
    for name, issued in [("seal-root", root), ("timestamp-root", authority)]:
        (directory / f"{name}.pem").write_bytes(issued.cert.public_bytes(serialization.Encoding.PEM))


main()
