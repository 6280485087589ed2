"""A company's proxy: it wants a password, passes requests of plain HTTP on, and makes tunnels to port 443 only."""

import base64
import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import common

PASSWORD = "Basic " + base64.b64encode(b"user:proxy-secret").decode()


def serve(log, family, address, port, zone):
    def one(client, peer):
        log.write(kind="tcp", to=client.getsockname()[0], port=port)
        Handler(client, peer, log, zone)

    common.accept_forever(common.listen(family, address, port), one)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, client, peer, log, zone):
        self.log, self.zone = log, zone
        super().__init__(client, peer, None)

    def log_message(self, *_):
        pass

    def may_pass(self):
        self.log.write(kind="proxy", method=self.command, target=self.path, headers=[[k, v] for k, v in self.headers.items()])
        if self.headers.get("proxy-authorization") == PASSWORD:
            return True
        self.answer(407, b"no password\n", [("Proxy-Authenticate", 'Basic realm="corp"')])
        return False

    def do_CONNECT(self):
        if not self.may_pass():
            return
        host, _, port = self.path.rpartition(":")
        if port != "443":
            self.answer(403, b"tunnels lead to port 443 only\n")
            return
        with socket.create_connection((self.address(host), 443), timeout=60) as server:
            self.send_response(200)
            self.end_headers()
            up = threading.Thread(target=pump, args=(self.connection, server), daemon=True)
            up.start()
            pump(server, self.connection)
            up.join()
        self.close_connection = True

    def pass_on(self):
        if not self.may_pass():
            return
        url = urlsplit(self.path)
        if url.scheme != "http":
            self.answer(400, b"the whole address is needed\n")
            return
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        onward = http.client.HTTPConnection(self.address(url.hostname), url.port or 80, timeout=60)
        headers = {k: v for k, v in self.headers.items() if not k.lower().startswith("proxy-") and k.lower() != "host"}
        onward.request(self.command, url._replace(scheme="", netloc="").geturl(), body, {"Host": url.netloc, **headers})
        answer = onward.getresponse()
        self.answer(answer.status, answer.read())

    do_GET = do_POST = do_HEAD = pass_on

    def address(self, host):
        return self.zone[host]["a"][0]

    def answer(self, status, body, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def pump(source, sink):
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
