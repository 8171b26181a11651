"""Who there is: authorities, sealers, timestamp authorities, and the lists that are published."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from . import pki
from .pki import DAY, NOW, YEAR, Issued, crl, year


class World:
    def __init__(self):
        self.root = Issued("Root", is_ca=True, organization="Root AS", start=year(2000), end=year(2060))
        self.ca = self.root.authority("Issuing")
        # Whose lists are not published: they stand in the documents, or nowhere.
        self.dark = self.root.authority("Quiet", start=year(2000), end=year(2060))
        self.stamps = Issued(
            "Timestamp root", is_ca=True, organization="Timestamps AS", start=year(2000), end=year(2060)
        )
        self.stranger = Issued(
            "Stranger root", is_ca=True, organization="Stranger AS", start=year(2000), end=year(2060)
        )
        self.seal = Issued("Seal", self.ca)
        self.second = Issued("Second", self.ca)
        self.rsa = Issued("Seal of the service", self.ca, key=pki.rsa_key())
        curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
        keys = {name: ec.generate_private_key(curve) for name, curve in curves.items()}
        self.curves = {name: Issued(f"Seal on {name}", self.ca, key=key) for name, key in keys.items()}
        self.quiet = Issued("Quiet seal", self.dark)
        self.mallory = Issued("Seal", self.stranger)
        self.neighbor = Issued("Neighbor", self.ca, organization="Neighbor AS")
        self.tsa = self.stamps.tsa()
        self.foreign_tsa = self.stranger.tsa()
        self.revoked = Issued("Revoked", self.ca)
        self.when_revoked = NOW - 10 * DAY
        # It was valid until yesterday, and years ago.
        self.ended = Issued("Ended", self.dark, start=NOW - YEAR, end=NOW - DAY)
        self.old = Issued("Old", self.dark, start=year(2005), end=year(2008))
        self.old_ca_seal = Issued("Old too", self.ca, start=NOW - YEAR, end=NOW - DAY)

    def roots(self):
        return [self.root, self.stamps]

    def published(self):
        """The lists that everybody can fetch today."""
        return [
            crl(self.root),
            crl(self.ca, [(self.revoked, self.when_revoked)]),
            crl(self.stamps),
        ]

    def old_tsa(self, start, end, issuer=None):
        issuer = issuer or self.stamps
        return issuer.tsa(f"TSA of {start}", start=year(start), end=year(end))

    def not_for(self, common, **options):
        return Issued(common, self.ca, **options)


def constraint(*names):
    return x509.NameConstraints(permitted_subtrees=list(names), excluded_subtrees=None)
