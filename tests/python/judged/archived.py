"""Documents of many years: timestamps that are renewed, and the service's own form after its certificate has ended."""

from . import pdf as p
from .evidence import ltv_sdo
from .pdf import plain, sign, stamped, stored, written
from .pki import Issued, crl, revocation_info, year


def renewals(files, w, source):
    """Sealed in 2006, timestamps renewed in 2009, 2014 and 2020; and with one of them missing."""
    sealed = sign(
        source,
        w.old,
        claimed=year(2006),
        signed=[revocation_info([crl(w.dark, at=year(2006)), crl(w.root, at=year(2006))])],
        timestamp=(w.old_tsa(2005, 2010), year(2006)),
    )
    renewed = {
        "2009": (w.old_tsa(2008, 2015), year(2009)),
        "2014": (w.old_tsa(2013, 2021), year(2014)),
        "2020": (w.old_tsa(2019, 2045), year(2020)),
    }

    def chain(without=(), stores=False, last=None):
        made = sealed
        for name, (tsa, at) in renewed.items():
            if name in without:
                continue
            if stores:
                made = stored(made, [w.stamps], [crl(one, at=at) for one in (w.dark, w.root, w.stamps)])
            made = stamped(made, last if last and name == "2020" else tsa, at, f"Timestamp{name}")
        return made

    files.good("renewed", chain())
    files.good("renewed-with-stores", chain(stores=True))
    files.bad("renewed-without-all", sealed)
    for name in renewed:
        files.bad(f"renewed-without-{name}", chain([name]))
        files.bad(f"renewed-without-{name}-with-stores", chain([name], stores=True))
    files.bad("renewed-by-a-stranger", chain(last=w.old_tsa(2019, 2045, w.stranger)))
    files.bad("renewed-with-the-first-alone", chain(["2014", "2020"]))


def genuine(files, w):
    """The service's own form of a signed PDF (a certification without changes, lists in a signed attribute, a signature
    timestamp, attachments), by pyHanko's writer: today, and years after its certificate has ended."""

    def unsigned(attached):
        objects = plain(pages=2)
        number = max(objects) + 1
        names = []
        for at, content in enumerate(attached):
            file = f"E-Signature-{at + 1}.xml"
            objects[number] = p.stream(content, "/Type /EmbeddedFile /Subtype /application#2fx-ltvsdo")
            objects[number + 1] = (
                f"<< /Type /Filespec /F ({file}) /UF ({file}) /AFRelationship /Data /EF << /F {number} 0 R >> >>"
            )
            names.append((file, number + 1))
            number += 2
        tree = " ".join(f"({file}) {one} 0 R" for file, one in names)
        files_ = " ".join(f"{one} 0 R" for _, one in names)
        more = f"/Names << /EmbeddedFiles << /Names [{tree}] >> >> /AF [{files_}] "
        objects[1] = f"<< /Type /Catalog /Pages 2 0 R {more}>>"
        return written(objects)

    def form_of(signer, attached, **options):
        return sign(unsigned(attached), signer, certify=1, reserve=40_000, **options)

    old_seal = Issued("Old seal of the service", w.dark, key=w.rsa.key, start=year(2015), end=year(2018))
    lists = [crl(w.ca), crl(w.root)]
    files.source("genuine.pdf", unsigned([ltv_sdo(w.rsa, at) for at in range(2)]))
    for count in (0, 1, 2):
        attached = [ltv_sdo(w.rsa, at) for at in range(count)]
        made = form_of(w.rsa, attached, signed=[revocation_info(lists)], timestamp=(w.tsa,))
        files.good(f"genuine-{count}-signers", made)
    old_lists = [crl(w.dark, at=year(2016)), crl(w.root, at=year(2016))]
    attached = [ltv_sdo(old_seal, 0, at=year(2016))]
    stamp = (w.old_tsa(2010, 2040), year(2016))
    options = {"signed": [revocation_info(old_lists)], "claimed": year(2016)}
    files.good("genuine-ended", form_of(old_seal, attached, timestamp=stamp, **options))
    files.bad("genuine-ended-without-timestamp", form_of(old_seal, attached, **options))
    foreign = (w.old_tsa(2010, 2040, w.stranger), year(2016))
    files.bad("genuine-ended-foreign-timestamp", form_of(old_seal, attached, timestamp=foreign, **options))
    late = (w.old_tsa(2010, 2040), year(2019))
    files.bad("genuine-ended-late-timestamp", form_of(old_seal, attached, timestamp=late, **options))


def make(files, w):
    renewals(files, w, written(plain()))
    genuine(files, w)
