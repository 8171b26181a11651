"""Makes the files that are judged, and says what pyHanko thinks of them.

    python -m judged make DIRECTORY     makes them, with the certificates and lists of the judges
    python -m judged judge DIRECTORY    one line for each PDF: its name, and `good` or why not

Run in the directory above this one.
"""

import logging
import sys
from pathlib import Path

from asn1crypto import pem, x509

from . import archived, bad, bare, evidence, good, hostile, prepared
from .files import Files
from .judge import Judge
from .world import World

logging.disable(logging.CRITICAL)


def make(directory):
    world = World()
    files = Files(directory)
    for made in (good, archived, bad, hostile, prepared, evidence, bare):
        made.make(files, world)
    (directory / bare.FILE).write_bytes(evidence.DOCUMENT)
    (directory / "groups.txt").write_text("".join(f"{group} {name}\n" for name, group in files.names.items()))
    (directory / "roots.pem").write_bytes(b"".join(root.pem() for root in world.roots()))
    (directory / "seal-root.pem").write_bytes(world.root.pem())
    (directory / "timestamp-root.pem").write_bytes(world.stamps.pem())
    for at, published in enumerate(world.published()):
        (directory / f"{at}.crl").write_bytes(published)
    for name, issued in [("seal", world.rsa), ("tsa", world.tsa), *world.curves.items()]:
        (directory / f"{name}.pem").write_bytes(b"".join(one.pem() for one in issued.chain))
        (directory / f"{name}.pkcs8").write_bytes(issued.pkcs8())


def judge(directory):
    roots = []
    for file in sorted(directory.glob("*roots.pem")):
        roots += [x509.Certificate.load(der) for _, _, der in pem.unarmor(file.read_bytes(), multiple=True)]
    judge = Judge(roots, [file.read_bytes() for file in sorted(directory.glob("*.crl"))])
    for file in sorted(directory.glob("*.pdf")):
        print(file.stem, judge.of(file.read_bytes()), flush=True)


{"make": make, "judge": judge}[sys.argv[1]](Path(sys.argv[2]))
