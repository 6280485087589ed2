"""What both machines of the test network share: addresses, logs, namespaces."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import threading

# The host's own end of the line, and the Internet's.
HOST_V4, WORLD_V4 = "192.0.2.2", "192.0.2.1"
HOST_V6, WORLD_V6 = "2001:db8:ff::2", "2001:db8:ff::1"

LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """prctl(2), PR_SET_PDEATHSIG: whatever happens to the test, nothing of this stays."""
    LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)


def expect(stream, word):
    line = stream.readline().strip()
    if line != word:
        raise SystemExit(f"expected `{word}`, got `{line}`")


def ip(lines):
    """Runs several commands of ip(8) at once."""
    for family in ("", "-6 "):
        own = [line.removeprefix("-6 ") for line in lines if line.startswith("-6 ") == bool(family)]
        if own:
            subprocess.run(["ip", *family.split(), "-batch", "-"], input="\n".join(own) + "\n", text=True, check=True)


def mount_over(source, place):
    """Mounts a file over another one, also where the other one is reached through links. mount(2), MS_BIND."""
    if LIBC.mount(source.encode(), os.path.realpath(place).encode(), None, 4096, None) != 0:
        raise OSError(ctypes.get_errno(), f"cannot mount {source} over {place}")


def mount_tmpfs(place):
    if LIBC.mount(b"tmpfs", place.encode(), b"tmpfs", 0, b"mode=755") != 0:
        raise OSError(ctypes.get_errno(), f"cannot mount a tmpfs on {place}")


def allow_low_ports():
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w") as file:
        file.write("0")


class Log:
    """One JSON object a line, written before the answer is sent."""

    def __init__(self, path):
        self.file = open(path, "a", buffering=1)
        self.lock = threading.Lock()

    def write(self, **what):
        with self.lock:
            self.file.write(json.dumps(what) + "\n")


class Open:
    """How many connections are being served, and which connections only ask whether everything has been accepted."""

    def __init__(self):
        self.changed = threading.Condition()
        self.count = 0
        self.sentinels = set()

    def enter(self, port_of_peer):
        with self.changed:
            self.count += 1
            self.sentinels.discard(port_of_peer)
            self.changed.notify_all()

    def leave(self):
        with self.changed:
            self.count -= 1
            self.changed.notify_all()


OPEN = Open()
LISTENERS = []


def listen(family, address, port):
    s = socket.socket(socket.AF_INET6 if family == "6" else socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == "6":
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, port))
    s.listen(1024)
    LISTENERS.append((family, port))
    return s


def accept_forever(listener, serve):
    """Serves each connection in a thread of its own."""
    def one(client, peer):
        try:
            with client:
                serve(client, peer)
        except (OSError, ValueError):
            pass  # The tests say hostile things and hang up; the log has what came.
        finally:
            OPEN.leave()

    def run():
        while True:
            client, peer = listener.accept()
            OPEN.enter(peer[1])
            threading.Thread(target=one, args=(client, peer), daemon=True).start()
    threading.Thread(target=run, daemon=True).start()


def settle():
    """Waits until every connection that was made before is accepted and over. Listeners accept in order, so a connection of
    our own that has been accepted shows that those before it were."""
    for family, port in LISTENERS:
        s = socket.socket(socket.AF_INET6 if family == "6" else socket.AF_INET, socket.SOCK_STREAM)
        s.bind(("::1" if family == "6" else "127.0.0.1", 0))
        own = s.getsockname()[1]
        with OPEN.changed:
            OPEN.sentinels.add(own)
        s.connect(("::1" if family == "6" else "127.0.0.1", port))
        with OPEN.changed:
            if not OPEN.changed.wait_for(lambda: own not in OPEN.sentinels, timeout=120):
                return False
        s.close()
    with OPEN.changed:
        return OPEN.changed.wait_for(lambda: OPEN.count == 0, timeout=120)
