"""Name servers: nsd with zones given as text, unbound before it, and a small question."""

import random
import socket
import struct

from kit.process import Process, free_port

_TYPES = {"A": 1, "NS": 2, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}

_HEAD = """\
$ORIGIN {origin}
$TTL 60
@ SOA ns.test. hostmaster.test. 1 60 60 60 60
@ NS ns.test.
"""


def ask(port, name, kind="A", host="127.0.0.1", seconds=5):
    """(rcode, [answer data as text or bytes]) of one question over UDP, no retry."""
    number = random.randrange(65536)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    question = labels + b"\0" + struct.pack("!HH", _TYPES[kind], 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(seconds)
        client.connect((host, port))
        client.send(struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + question)
        reply = client.recv(65535)
    if struct.unpack_from("!H", reply)[0] != number:
        raise ValueError("an answer to another question")
    flags, _, count = struct.unpack_from("!HHH", reply, 2)
    offset = 12 + len(question)
    answers = []
    for _ in range(count):
        offset = _skip_name(reply, offset)
        what, _, _, length = struct.unpack_from("!HHIH", reply, offset)
        offset += 10
        if what == _TYPES[kind]:
            answers.append(_show(what, reply[offset:offset + length]))
        offset += length
    return flags & 15, answers


def _skip_name(reply, offset):
    while reply[offset] and reply[offset] < 0xC0:
        offset += 1 + reply[offset]
    return offset + (2 if reply[offset] else 1)


def _show(kind, data):
    if kind == _TYPES["A"]:
        return socket.inet_ntop(socket.AF_INET, data)
    if kind == _TYPES["AAAA"]:
        return socket.inet_ntop(socket.AF_INET6, data)
    if kind == _TYPES["TXT"]:
        text = b""
        while data:
            text += data[1:1 + data[0]]
            data = data[1 + data[0]:]
        return text.decode()
    return data


class Nsd(Process):
    """
    Answers for the zones, a dict from a zone's name to its records. A zone without SOA gets one,
    and a TTL of 60 s. The root zone is there, too, empty unless given: so what is in no zone is
    NXDOMAIN at once.
    """

    def __init__(self, folder, zones, port=None):
        super().__init__(folder, "nsd")
        self.port = port or free_port()
        self.zones = {}
        self._write(zones)

    def _write(self, zones):
        here = self.folder
        self.zones = {".": "", **{name.strip(".") or ".": text for name, text in zones.items()}}
        lines = [
            "server:", f"  ip-address: 127.0.0.1@{self.port}", '  username: ""', '  chroot: ""',
            f'  zonesdir: "{here}"', f'  pidfile: "{here}/nsd.pid"', f'  logfile: "{here}/log"',
            '  database: ""', f'  xfrdfile: "{here}/xfrd.state"', f'  xfrdir: "{here}"',
            f'  zonelistfile: "{here}/zone.list"', "  server-count: 1",
            "remote-control:", "  control-enable: no",
        ]
        for number, (name, text) in enumerate(self.zones.items()):
            origin = name if name == "." else name + "."
            if " SOA " not in text:
                text = _HEAD.format(origin=origin) + text
            (here / f"{number}.zone").write_text(text + "\n")
            lines += ["zone:", f'  name: "{name}"', f'  zonefile: "{number}.zone"']
        (here / "nsd.conf").write_text("\n".join(lines) + "\n")

    def start(self):
        self.launch(["/usr/sbin/nsd", "-d", "-c", self.folder / "nsd.conf"], [self.port])
        return self

    def change(self, zones):
        """Other zones from now on; a restart (0.1 s)."""
        self.stop()
        self._write(zones)
        return self.start()

    def text(self):
        log = self.folder / "log"
        return super().text() + (log.read_text(errors="replace") if log.exists() else "")


class Unbound(Process):
    """
    Resolves what the Nsd knows, from its root downwards; nothing goes elsewhere. forwards: a dict
    from a zone to the port of another server for it (an rbldnsd, say).
    """

    def __init__(self, folder, nsd, forwards=None, port=None):
        super().__init__(folder, "unbound")
        self.port = port or free_port()
        here = self.folder
        lines = [
            "server:", f'  directory: "{here}"', '  chroot: ""', '  username: ""',
            f'  pidfile: "{here}/pid"', f'  logfile: "{here}/log"', "  use-syslog: no",
            f"  interface: 127.0.0.1@{self.port}", "  access-control: 127.0.0.0/8 allow",
            "  do-ip6: no", "  do-not-query-localhost: no", '  module-config: "iterator"',
            # Reverse zones of private and documentation networks are not answered by itself.
            "  unblock-lan-zones: yes", "  insecure-lan-zones: yes",
        ]
        lines += [f'  local-zone: "{name}." nodefault' for name in self._special(nsd.zones)]
        lines += ["remote-control:", "  control-enable: no"]
        for name in nsd.zones:
            lines += ["stub-zone:", f'  name: "{name}"', f"  stub-addr: 127.0.0.1@{nsd.port}"]
        for name, other in (forwards or {}).items():
            lines += ["forward-zone:", f'  name: "{name}"', f"  forward-addr: 127.0.0.1@{other}"]
        (here / "unbound.conf").write_text("\n".join(lines) + "\n")

    @staticmethod
    def _special(zones):
        """What unbound would answer by itself: test. and the like as a whole, reverse zones."""
        ends = {name.split(".")[-1] for name in zones} & {"test", "invalid", "onion", "localhost"}
        return sorted(ends) + [name for name in zones if name.endswith(".arpa")]

    def start(self):
        self.launch(["/usr/sbin/unbound", "-d", "-c", self.folder / "unbound.conf"], [self.port])
        return self

    def text(self):
        log = self.folder / "log"
        return super().text() + (log.read_text(errors="replace") if log.exists() else "")
