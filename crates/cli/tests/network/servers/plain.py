"""Plain TCP services."""

import hashlib

import common


def echo(log, family, address, port):
    """Sends back what comes; after the client's end, the sum of it: the other direction is open still."""
    def serve(client, peer):
        log.write(kind="tcp", to=client.getsockname()[0], port=port)
        total = hashlib.sha256()
        while data := client.recv(1 << 16):
            total.update(data)
            client.sendall(data)
        client.sendall(b"sum " + total.hexdigest().encode() + b"\n")
    common.accept_forever(common.listen(family, address, port), serve)


def greeter(log, family, address, port):
    """Speaks first, as SMTP and many databases do, then answers each line."""
    def serve(client, peer):
        log.write(kind="tcp", to=client.getsockname()[0], port=port)
        client.sendall(b"220 hello\r\n")
        stream = client.makefile("rb")
        for line in stream:
            client.sendall(b"said " + line)
    common.accept_forever(common.listen(family, address, port), serve)
