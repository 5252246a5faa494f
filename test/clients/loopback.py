"""Runs a command in a network that has nothing but loopback, and counts what tried to leave it.

usage: loopback.py REPORT COMMAND...

Meant to be started by `unshare --net --mount`. Names are resolved by a server that is not on loopback, so that a look-up
counts as leaving too. REPORT gets the number of packets that found no way out: the kernel's OutNoRoutes, IPv4 and IPv6.
"""
import fcntl, socket, struct, subprocess, sys, tempfile

SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def without_route():
    snmp = [line.split() for line in open("/proc/net/snmp") if line.startswith("Ip:")]
    ip4 = int(snmp[1][snmp[0].index("OutNoRoutes")])
    ip6 = next((int(value) for name, value in map(str.split, open("/proc/net/snmp6")) if name == "Ip6OutNoRoutes"), 0)
    return ip4 + ip6


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
with tempfile.NamedTemporaryFile("w", suffix=".conf") as resolver:
    resolver.write("nameserver 192.0.2.53\noptions timeout:1 attempts:1\n")
    resolver.flush()
    subprocess.run(["mount", "--bind", resolver.name, "/etc/resolv.conf"], check=True)
    before = without_route()
    code = subprocess.run(sys.argv[2:]).returncode
    with open(sys.argv[1], "w") as report:
        report.write(str(without_route() - before))
sys.exit(code)
