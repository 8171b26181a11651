"""Certificates, revocation values and timestamps of all kinds, right and wrong."""

import datetime
import hashlib

from asn1crypto import algos, cms, core, crl as asn1_crl, ocsp as asn1_ocsp, pdf, tsp, x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .cms import signed_data

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
YEAR = datetime.timedelta(days=365)

USAGES = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
]


def year(number):
    return datetime.datetime(number, 1, 1, tzinfo=datetime.timezone.utc)


def ec_key():
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits=2048):
    return rsa.generate_private_key(65537, bits)


def name(common, organization="Sealer AS"):
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


class Issued:
    """A certificate, its key and who issued it."""

    def __init__(
        self,
        common,
        issuer=None,
        usage=("content_commitment",),
        start=NOW - YEAR,
        end=NOW + YEAR,
        key=None,
        purposes=(),
        is_ca=False,
        path=None,
        organization="Sealer AS",
        extensions=(),
    ):
        self.key = key or ec_key()
        self.issuer = issuer
        self.name = name(common, organization)
        self.start = start
        by = issuer or self
        uses = {"key_cert_sign", "crl_sign"} if is_ca and usage == ("content_commitment",) else set(usage)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(by.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(is_ca, path), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
            .add_extension(x509.KeyUsage(**{usage: usage in uses for usage in USAGES}), True)
        )
        if issuer:
            key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
            builder = builder.add_extension(key_id, False)
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), True)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        self.cert = builder.sign(by.key, hashes.SHA256())
        self.der = self.cert.public_bytes(serialization.Encoding.DER)
        self.asn1 = asn1_x509.Certificate.load(self.der)

    def authority(self, common, **options):
        return Issued(common, self, is_ca=True, organization=f"{common} AS", **options)

    def tsa(self, common="TSA", **options):
        options = {"usage": ("digital_signature",), "purposes": [ExtendedKeyUsageOID.TIME_STAMPING]} | options
        return Issued(common, self, organization="Timestamps AS", **options)

    @property
    def chain(self):
        return [self] + (self.issuer.chain if self.issuer else [])

    def pem(self):
        return self.cert.public_bytes(serialization.Encoding.PEM)

    def pkcs8(self):
        return self.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, message, digest="sha256", pss=None):
        algorithm = getattr(hashes, digest.upper())()
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(message, ec.ECDSA(algorithm))
        how = padding.PKCS1v15() if pss is None else padding.PSS(padding.MGF1(algorithm), pss)
        return self.key.sign(message, how, algorithm)

    def algorithm(self, digest="sha256", pss=None):
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return algos.SignedDigestAlgorithm({"algorithm": f"{digest}_ecdsa"})
        if pss is None:
            return algos.SignedDigestAlgorithm({"algorithm": f"{digest}_rsa"})
        hash_ = {"algorithm": digest}
        mask = {"algorithm": "mgf1", "parameters": hash_}
        return algos.SignedDigestAlgorithm(
            {
                "algorithm": "rsassa_pss",
                "parameters": {"hash_algorithm": hash_, "mask_gen_algorithm": mask, "salt_length": pss},
            }
        )


def crl(issuer, revoked=(), at=None, following=None):
    """A list in DER. `revoked` has pairs of who and when."""
    at = at or NOW - datetime.timedelta(hours=1)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.name)
    builder = builder.last_update(at).next_update(following or at + 30 * DAY)
    builder = builder.add_extension(x509.CRLNumber(1), False)
    key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    builder = builder.add_extension(key_id, False)
    for who, when in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(who.cert.serial_number).revocation_date(when)
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def ocsp_response(who, at=None, revoked=None, by=None):
    """An OCSPResponse in DER, by the issuer or a delegate of its."""
    at = at or NOW - datetime.timedelta(hours=1)
    by = by or who.issuer
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=who.cert,
        issuer=who.issuer.cert,
        algorithm=hashes.SHA1(),
        cert_status=status,
        this_update=at,
        next_update=at + 30 * DAY,
        revocation_time=revoked,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.cert)
    if by is not who.issuer:
        builder = builder.certificates([by.cert])
    return builder.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def responder(issuer, **options):
    no_check = (x509.OCSPNoCheck(), False)
    return Issued(
        "Responder",
        issuer,
        usage=("digital_signature",),
        purposes=[ExtendedKeyUsageOID.OCSP_SIGNING],
        organization="Responder AS",
        extensions=[no_check],
        **options,
    )


def token(of, tsa, at=None, digest="sha256", content=None):
    """A timestamp of these bytes, as a ContentInfo in DER."""
    at = at or NOW - datetime.timedelta(minutes=30)
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3.4.5",
            "message_imprint": {
                "hash_algorithm": {"algorithm": digest},
                "hashed_message": hashlib.new(digest, of).digest(),
            },
            "serial_number": x509.random_serial_number(),
            "gen_time": core.GeneralizedTime(at),
            "nonce": 5,
        }
    )
    content = content or info.dump()
    digested = hashlib.sha256(content).digest()
    return signed_data(tsa, digested, content=("tst_info", content), must_name=True, certs=tsa.chain)


def revocation_info(crls=(), responses=()):
    """Adobe's attribute."""
    value = pdf.RevocationInfoArchival(
        {
            "crl": [asn1_crl.CertificateList.load(der) for der in crls] or None,
            "ocsp": [asn1_ocsp.OCSPResponse.load(der) for der in responses] or None,
        }
    )
    return cms.CMSAttribute({"type": "adobe_revocation_info_archival", "values": [value]})
