"""Reads descriptors with Samba's own code: one a line in, one line of hex out.

In: `bytes HEX` or `sddl TEXT`, relative to the domain S-1-5-21-1-2-3. Out: the descriptor as Samba lays it out, or `refused`.
"""

import sys

from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack

DOMAIN = security.dom_sid("S-1-5-21-1-2-3")


def answer(kind, text):
    try:
        if kind == "bytes":
            descriptor = ndr_unpack(security.descriptor, bytes.fromhex(text))
        else:
            descriptor = security.descriptor.from_sddl(text, DOMAIN)
    except (TypeError, RuntimeError, ValueError):
        return "refused"
    return ndr_pack(descriptor).hex()


for line in sys.stdin:
    kind, _, text = line.rstrip("\n").partition(" ")
    print(answer(kind, text))
