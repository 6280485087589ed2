"""The "host": the machine on which bailiwick is started, as far as its network and its name service go.

Runs in a network and a mount namespace of its own, starts the "Internet" (internet.py) in another one and joins both by a
pair of virtual Ethernet devices. Says `ready` when everything answers, and ends when its standard input does.

Arguments: the directory of this network (see world.rs), where certificates lie and logs go.
"""

import os
import subprocess
import sys
import threading

import common
import web

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    directory = sys.argv[1]
    common.die_with_parent()
    internet = subprocess.Popen(
        ["unshare", "--net", "--mount", "--propagation", "private", "--", sys.executable, os.path.join(HERE, "internet.py"), directory],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=common.die_with_parent)
    common.expect(internet.stdout, "unshared")
    common.ip([
        "link set lo up",
        f"link add eth0 type veth peer name world netns {internet.pid}",
        f"addr add {common.HOST_V4}/24 dev eth0",
        f"addr add {common.HOST_V6}/64 dev eth0 nodad",
        "link set eth0 up",
        f"route add default via {common.WORLD_V4}",
        f"-6 route add default via {common.WORLD_V6}",
    ])
    # Ordinary users may send echo requests here, so that the tests have a control for ICMP.
    with open("/proc/sys/net/ipv4/ping_group_range", "w") as file:
        file.write("0 2147483647" if os.geteuid() == 0 else f"{os.getegid()} {os.getegid()}")
    for name, place in [("resolv.conf", "/etc/resolv.conf"), ("hosts", "/etc/hosts"),
                        ("ca-bundle.pem", "/etc/ssl/certs/ca-certificates.crt")]:
        common.mount_over(os.path.join(directory, name), place)
    internet.stdin.write("go\n")
    internet.stdin.flush()
    common.expect(internet.stdout, "ready")

    # Services of the host itself: nothing inside may reach them.
    log = common.Log(os.path.join(directory, "host.log"))
    common.allow_low_ports()
    for family, address in [("4", "0.0.0.0"), ("6", "::")]:
        web.serve(log, family, address, 80, None, None)
        web.serve(log, family, address, 8000, None, None)
    print("ready", flush=True)

    # Settling is for the Internet to do: lines are passed on, answers handed back.
    def answers():
        for line in internet.stdout:
            print(line, end="", flush=True)
    threading.Thread(target=answers, daemon=True).start()
    for line in sys.stdin:
        internet.stdin.write(line)
        internet.stdin.flush()
    internet.kill()
    internet.wait()
    os._exit(0)


main()
