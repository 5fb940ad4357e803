"""DNS lists: rbldnsd with lists given as text, and a name server that answers as a test says."""

import contextlib
import os
import signal
import socket
import struct
import threading

from kit.dns import ask
from kit.process import Process, free_port, wait_until

#: Every address; write "!127.0.0.1" and the like behind it.
EVERYTHING = "0.0.0.0/1\n128.0.0.0/1\n"

_SOA = "$SOA 60 ns.test hostmaster.test 0 1h 1h 1w 60\n$NS 60 ns.test\n"


class Rbldnsd(Process):
    """
    lists: a dict from a zone to its entries, as text of the kind ip4set (":127.0.0.2:" is the
    answer for the addresses that follow, "!127.0.0.1" is left out; see EVERYTHING), or a pair
    of another kind ("dnset", "ip6trie", "generic") and the text. Answers live for `ttl` seconds.
    """

    def __init__(self, folder, lists, ttl=60, port=None):
        super().__init__(folder, "rbldnsd")
        self.port = port or free_port()
        self.ttl = ttl
        self.lists = lists
        self.round = 0
        queries = self.folder / "queries"
        queries.touch()
        queries.chmod(0o666)

    def _write(self):
        self.round += 1
        specs = []
        for number, (zone, text) in enumerate(self.lists.items()):
            kind, text = text if isinstance(text, tuple) else ("ip4set", text)
            file = self.folder / f"{number}.list"
            probe = {"dnset": f"round{self.round}.probe", "ip6trie": "", "generic": "", "combined": ""}.get(
                kind, f"240.0.0.{self.round}")
            file.write_text(f"{_SOA}$TTL {self.ttl}\n{text}\n" + (
                f"{probe} :127.0.0.99:\n" if number == 0 and probe else ""))
            os.utime(file, (self.round * 10, self.round * 10))  # it looks at whole seconds
            specs.append(f"{zone}:{kind}:{file.name}")
        return specs

    def start(self):
        user = ["-u", "nobody:nogroup"] if os.geteuid() == 0 else []
        self.launch(["/usr/sbin/rbldnsd", "-n", *user, "-c", "0", "-w", self.folder,
                     "-b", f"127.0.0.1/{self.port}", "-l", "+queries", *self._write()])
        wait_until(self._is_new, what="rbldnsd")
        return self

    def _is_new(self):
        """Each state of the first list (an ip4set) has an entry by which it is known."""
        if self._has_ended() or "invalid" in self.text():
            raise RuntimeError(f"rbldnsd does not like it:\n{self.text()}")
        zone, text = next(iter(self.lists.items()))
        if isinstance(text, tuple) and text[0] != "dnset":
            return True
        name = f"{self.round}.0.0.240.{zone}" if not isinstance(text, tuple) else \
            f"round{self.round}.probe.{zone}"
        with contextlib.suppress(OSError, ValueError):
            return "127.0.0.99" in ask(self.port, name, seconds=0.2)[1]
        return False

    def change(self, lists):
        """Other entries from now on, of the same zones in the same order."""
        assert list(lists) == list(self.lists)
        self.lists = {**lists}
        self._write()
        self.send_signal(signal.SIGHUP)
        wait_until(self._is_new, what="rbldnsd with other lists")

    def queries(self):
        """Names that were asked for."""
        return [line.split()[2] for line in (self.folder / "queries").read_text().splitlines()
                if len(line.split()) > 2]


class RuleServer:
    """
    A name server (UDP) that answers by rule(name, query): a list of addresses, an rcode ("nxdomain",
    "servfail", "refused"), None (nothing comes), or octets that are sent as they are. delay: seconds
    that every answer takes. TCP is not served. names: what was asked for.
    """

    CODES = {"nxdomain": 3, "servfail": 2, "refused": 5}

    def __init__(self, rule, delay=0.0, port=None):
        self.rule, self.delay = rule, delay
        self.port = port or free_port()
        self.names = []
        self.socket = None

    def start(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def stop(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            answer = self._answer(query)
            if answer is None:
                continue
            if self.delay:
                timer = threading.Timer(self.delay, self._send, (answer, peer))
                timer.daemon = True
                timer.start()
            else:
                self._send(answer, peer)

    def _send(self, answer, peer):
        with contextlib.suppress(OSError):
            self.socket.sendto(answer, peer)

    def _answer(self, query):
        name = question_name(query)
        self.names.append(name)
        what = self.rule(name, query)
        if what is None or isinstance(what, bytes):
            return what
        if isinstance(what, str):
            return message(query, code=self.CODES[what])
        return message(query, [record(1, socket.inet_aton(address)) for address in what])


def question_end(query):
    offset = 12
    while query[offset]:
        offset += 1 + query[offset]
    return offset + 5


def question_name(query):
    offset, labels = 12, []
    while query[offset]:
        labels.append(query[offset + 1:offset + 1 + query[offset]].decode("latin-1"))
        offset += 1 + query[offset]
    return ".".join(labels).lower()


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(kind, data, owner=b"\xc0\x0c", ttl=60, length=None):
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data) if length is None else length) + data


def message(query, records=(), code=0, flags=0x8580, number=None, question=None):
    """An answer; what is not given is right."""
    head = query[:2] if number is None else struct.pack("!H", number)
    return (head + struct.pack("!HHHHH", flags | code, 1, len(records), 0, 0) +
            (query[12:question_end(query)] if question is None else question) + b"".join(records))
