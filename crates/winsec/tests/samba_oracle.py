"""Answers access checks with Samba's own code: one JSON object a line in, one number a line out.

In: {"sd": hex, "sids": [text], "privileges": [number], "desired": number}. Out: the granted mask, or -1 for refused.
"""

import json
import sys

from samba import NTSTATUSError, ntstatus, security as check
from samba.dcerpc import security
from samba.ndr import ndr_unpack

REFUSED = {ntstatus.NT_STATUS_ACCESS_DENIED, ntstatus.NT_STATUS_PRIVILEGE_NOT_HELD}


def answer(case):
    descriptor = ndr_unpack(security.descriptor, bytes.fromhex(case["sd"]))
    token = security.token()
    sids = [security.dom_sid(sid) for sid in case["sids"]]
    token.sids = sids
    token.num_sids = len(sids)
    for privilege in case["privileges"]:
        token.set_privilege(privilege)
    try:
        return check.access_check(descriptor, token, case["desired"])
    except NTSTATUSError as error:
        if error.args[0] in REFUSED:
            return -1
        raise


def main():
    out = []
    for line in sys.stdin:
        out.append(str(answer(json.loads(line))))
    print("\n".join(out))


main()
