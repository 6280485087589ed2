"""A name server (UDP and TCP) that writes down every question.

The zone is a table from names to answers: `{"a": [...], "aaaa": [...], "cname": "..."}`; a list of such answers is given one
after the other, the last one for ever: that is rebinding.
"""

import socket
import struct
import threading

import common

SERVERS = ["203.0.113.53", "8.8.8.8"]


def serve(log, zone):
    state = {"asked": {}}
    lock = threading.Lock()

    def answer(query, via, server):
        name, kind, question = parse(query)
        log.write(kind="dns", name=name, type=kind, via=via, server=server)
        with lock:
            records = zone.get(name.lower())
            if isinstance(records, list):
                seen = state["asked"].get((name.lower(), kind), 0)
                state["asked"][(name.lower(), kind)] = seen + 1
                records = records[min(seen, len(records) - 1)]
        return reply(query, question, kind, records, zone)

    for server in SERVERS:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((server, 53))

        def datagrams(udp=udp, server=server):
            while True:
                query, peer = udp.recvfrom(65536)
                try:
                    udp.sendto(answer(query, "udp", server), peer)
                except (ValueError, IndexError, struct.error):
                    log.write(kind="dns", name="?", type=0, via="udp", server=server, bytes=query.hex())
        threading.Thread(target=datagrams, daemon=True).start()

        def stream(client, _peer, server=server):
            while size := client.recv(2, socket.MSG_WAITALL):
                query = client.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
                data = answer(query, "tcp", server)
                client.sendall(struct.pack(">H", len(data)) + data)
        listener = common.listen("4", server, 53)
        common.LISTENERS.pop()  # not reachable by way of loopback
        common.accept_forever(listener, stream)


def parse(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
        at += 1 + query[at]
    kind = int.from_bytes(query[at + 1:at + 3], "big")
    return ".".join(labels), kind, query[12:at + 5]


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def reply(query, question, kind, records, zone):
    answers, code = [], 0
    if records is None:
        code = 3
    else:
        owner = b"\xc0\x0c"
        alias = records.get("cname")
        if alias:
            answers.append(owner + struct.pack(">HHIH", 5, 1, 0, len(wire(alias))) + wire(alias))
            owner, records = wire(alias), zone.get(alias, {})
        for type_of, key, family in [(1, "a", socket.AF_INET), (28, "aaaa", socket.AF_INET6)]:
            if kind == type_of:
                for address in records.get(key, []):
                    data = socket.inet_pton(family, address)
                    answers.append(owner + struct.pack(">HHIH", type_of, 1, 0, len(data)) + data)
    flags = 0x8180 | code
    return query[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0) + question + b"".join(answers)
