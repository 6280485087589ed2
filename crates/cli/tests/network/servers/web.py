"""HTTP and HTTPS: a few answers of its own, static files, and git over smart HTTP. Every request is written down as it came."""

import hashlib
import os
import ssl
import subprocess
from http.server import BaseHTTPRequestHandler

import common

TYPES = {".json": "application/json", ".html": "text/html"}


def serve(log, family, address, port, certificate, fixtures):
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.set_alpn_protocols(["http/1.1"])
        context.sni_callback = lambda connection, name, _: setattr(connection, "asked_name", name)

    def one(client, peer):
        log.write(kind="tcp", to=client.getsockname()[0], port=port)
        if context:
            client = context.wrap_socket(client, server_side=True)
        Handler(client, peer, log, fixtures)

    common.accept_forever(common.listen(family, address, port), one)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, client, peer, log, fixtures):
        self.log, self.fixtures = log, fixtures
        super().__init__(client, peer, None)

    def log_message(self, *_):
        pass

    def handle_any(self):
        self.log.write(
            kind="http", tls=isinstance(self.connection, ssl.SSLSocket), sni=getattr(self.connection, "asked_name", None),
            to=self.connection.getsockname()[0], port=self.connection.getsockname()[1], method=self.command,
            target=self.path, headers=[[k, v] for k, v in self.headers.items()])
        body = self.body()
        path, _, query = self.path.partition("?")
        if path.startswith("http://"):
            path = "/" + path.split("/", 3)[-1]
        if path == "/hello":
            self.answer(200, f"REACHED {self.headers.get('host')}\n".encode())
        elif path == "/echo":
            self.answer(200, hashlib.sha256(body).hexdigest().encode())
        elif path == "/big":
            # The tests know the sum of so many bytes of this.
            self.answer(200, b"0123456789abcdef" * (int(query) // 16))
        elif path == "/to":
            self.answer(302, b"elsewhere\n", [("Location", query)])
        elif path == "/headers":
            self.answer(200, "".join(f"{k}: {v}\n" for k, v in self.headers.items()).encode())
        elif path.startswith("/git/") and self.fixtures:
            self.git(path, query, body)
        else:
            self.file(path)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = handle_any

    def body(self):
        if self.headers.get("expect", "").lower() == "100-continue":
            pass  # BaseHTTPRequestHandler has answered already
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status, body, headers=(), kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def file(self, path):
        """A static file, below a directory for each host."""
        host = (self.headers.get("host") or "").split(":")[0]
        if not self.fixtures or ".." in path or "/" in host or not host.strip("."):
            return self.answer(404, b"nothing here\n")
        place = os.path.join(self.fixtures, host, path.lstrip("/"))
        if os.path.isdir(place):
            place = os.path.join(place, "index.html")
        try:
            with open(place, "rb") as file:
                content = file.read()
        except OSError:
            return self.answer(404, b"nothing here\n")
        extension = os.path.splitext(place)[1]
        return self.answer(200, content, kind=TYPES.get(extension, "application/octet-stream"))

    def git(self, path, query, body):
        """git-http-backend(1), as a CGI."""
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_PROJECT_ROOT": os.path.join(self.fixtures, "git"),
            "GIT_HTTP_EXPORT_ALL": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "PATH_INFO": path.removeprefix("/git"), "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)), "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""), "REMOTE_USER": "tester", "REMOTE_ADDR": "192.0.2.2",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [tuple(part.strip() for part in line.split(":", 1)) for line in head.decode().splitlines() if ":" in line]
        status = next((int(value.split()[0]) for name, value in fields if name.lower() == "status"), 200)
        kind = next((value for name, value in fields if name.lower() == "content-type"), "text/plain")
        self.answer(status, content, kind=kind)
