"""The "Internet": every address but the host's leads here. Name server, web servers, a proxy, plain TCP services, an SSH server."""

import json
import os
import subprocess
import sys

import common
import forward
import names
import packets
import plain
import web


def main():
    directory = sys.argv[1]
    common.die_with_parent()
    print("unshared", flush=True)
    common.expect(sys.stdin, "go")
    common.ip([
        "link set lo up",
        "link set world up",
        f"addr add {common.WORLD_V4}/24 dev world",
        f"addr add {common.WORLD_V6}/64 dev world nodad",
        # Every address is ours, unless a more specific route leads to the host.
        "route add local 0.0.0.0/0 dev lo table main",
        "-6 route add local ::/0 dev lo table main",
    ])
    common.allow_low_ports()
    log = common.Log(os.path.join(directory, "world.log"))
    packets.watch("world", os.path.join(directory, "frames"), common.Log(os.path.join(directory, "packets.log")))
    with open(os.path.join(directory, "zone.json")) as file:
        zone = json.load(file)
    names.serve(log, zone)
    fixtures = os.path.join(directory, "fixtures")
    certificate = os.path.join(directory, "server.pem")
    for family, address in [("4", "0.0.0.0"), ("6", "::")]:
        for port in (80, 8080):
            web.serve(log, family, address, port, None, fixtures)
        for port in (443, 8443):
            web.serve(log, family, address, port, certificate, fixtures)
        forward.serve(log, family, address, 3128, zone)
        plain.echo(log, family, address, 7000)
        plain.greeter(log, family, address, 5432)
        plain.greeter(log, family, address, 25)
    ssh = start_ssh(directory)
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "settle":
            print("settled" if common.settle() else "unsettled", flush=True)
    if ssh:
        ssh.kill()
    os._exit(0)


def start_ssh(directory):
    """Where there is no sshd, the tests that need one are skipped by name."""
    program, settings = "/usr/sbin/sshd", os.path.join(directory, "sshd_config")
    if not (os.path.exists(program) and os.path.exists(settings)):
        return None
    if os.geteuid() == 0:
        # Root's sshd insists on a directory that is made when the service starts. This /run is this namespace's own.
        common.mount_tmpfs("/run")
        os.mkdir("/run/sshd", 0o755)
    log = open(os.path.join(directory, "sshd.log"), "w")
    server = subprocess.Popen([program, "-D", "-e", "-f", settings], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              preexec_fn=common.die_with_parent)
    # It is ready when it answers.
    import socket
    import time
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", 22), timeout=10).close()
            return server
        except OSError:
            time.sleep(0.01)
    raise SystemExit("sshd did not start: see sshd.log")


main()
