"""Everything that arrives from the host, whatever the protocol: raw frames for searching, and a line for each packet."""

import socket
import threading


def watch(device, path, log):
    # ETH_P_ALL
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((device, 3))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
    frames = open(path, "ab", buffering=0)

    def run():
        while True:
            frame, (_, _, kind, _, _) = s.recvfrom(1 << 17)
            if kind == 4:  # PACKET_OUTGOING: our own answers
                continue
            frames.write(frame[:4096] + b"\n\0--frame--\0\n")
            line = describe(frame)
            if line:
                log.write(**line)
    threading.Thread(target=run, daemon=True).start()


def describe(frame):
    """Protocol, destination and port; None for what every Ethernet says by itself (ARP, neighbours, multicast listeners)."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == 0x0800:
        header, protocol = (frame[14] & 15) * 4, frame[23]
        target, rest = socket.inet_ntop(socket.AF_INET, frame[30:34]), frame[14 + header:]
    elif kind == 0x86DD:
        protocol, target, rest = frame[20], socket.inet_ntop(socket.AF_INET6, frame[38:54]), frame[54:]
        if protocol in (0, 58) and (target.startswith("ff02:") or target.startswith("fe80:") or rest[:1] in (b"\x87", b"\x88")):
            return None
    else:
        return None
    names = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}
    port = int.from_bytes(rest[2:4], "big") if protocol in (6, 17) else 0
    new = protocol == 6 and len(rest) > 13 and rest[13] & 0x12 == 0x02
    return {"kind": "packet", "protocol": names.get(protocol, str(protocol)), "to": target, "port": port, "new": new}
