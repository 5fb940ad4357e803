"""
Bad content, through the whole program: it is judged and passes as it came, what is wrong with it is told; in
bounded time and memory, and nobody else waits.
"""

import base64
import hashlib
import io
import pathlib
import threading
import time
import zipfile

import pytest

from kit.process import wait_until
from kit.smtp import connect, message

LIST = {"id": "bl", "zone": "uri.test", "kind": "domain", "codes": {"127.0.0.2": "bad"}}
MIXED = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
HTML = "MIME-Version: 1.0\r\nContent-Type: text/html\r\n"
LINK = '<a href="http://last.example.com/">x</a>'
LAST = "\r\n--b\r\nContent-Type: text/html\r\n\r\n" + LINK + "\r\n--b--\r\n"
#: What the worker may take more than before (MiB), and how long others may wait (seconds).
MEMORY, PATIENCE = 48, 5


@pytest.fixture(scope="module")
def place(start_module):
    backend = start_module.scripted(extensions=("PIPELINING", "8BITMIME"))
    lists = start_module.rbldnsd({"uri.test": ("dnset", ":127.0.0.2:\ntest\n.last.example.com\n")})
    program = start_module.postern({
        "filters": {"mime": {}, "surbl": {"lists": [LIST]}}, "limits": {"sessions_per_client": 100},
        "policy": [{"name": "link", "when": {"surbl.bl": "bad"}, "score": 1}], "thresholds": {"tag": 2}},
        backend=backend, dns=lists, sanitizer="quarantine_size_mb=8")
    return backend, program


class Neighbour:
    """Another session with the only worker, which says NOOP all the time; how long it had to wait at most."""

    def __init__(self, program):
        self.client = connect(program.port, source="127.0.0.9")
        self.is_over = threading.Event()
        self.longest = 0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.is_over.wait(0.05):
            begun = time.monotonic()
            if self.client.command("NOOP").code != 250:
                return
            self.longest = max(self.longest, time.monotonic() - begun)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


def peak(program):
    """The most memory that the worker ever had, in MiB."""
    worker, = program.children()
    lines = pathlib.Path(f"/proc/{worker}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))


@pytest.fixture(autouse=True)
def others_go_on(place):
    backend, program = place
    before = peak(program)
    with Neighbour(program) as neighbour:
        yield
    assert neighbour.longest < PATIENCE
    assert neighbour.client.mail("a@example.org", "c@example.com", message("neighbour")).code == 250
    neighbour.client.close()
    assert peak(program) - before < MEMORY
    backend.mails.clear()


def records(program):
    return [line for line in program.log_json() if line.get("client", {}).get("ip") == "127.0.0.1"]


def deliver(place, mail):
    """It passes as it came, once; the record."""
    backend, program = place
    mail = mail.encode() if isinstance(mail, str) else mail
    before = records(program)
    with connect(program.port, timeout=50) as client:
        reply = client.mail("a@example.org", "c@example.com", mail)
    assert reply.code == 250, reply
    got, = backend.accepted()
    assert hashlib.sha256(got.message).digest() == hashlib.sha256(mail).digest()
    wait_until(lambda: len(records(program)) > len(before), what="the record")
    return records(program)[-1]


def facts(record, key, name="mime"):
    return [fact["value"] for fact in record["facts"] if (fact["filter"], fact["key"]) == (name, key)]


def attached(content, name):
    body = base64.encodebytes(content).decode().replace("\n", "\r\n")
    return message("zip", f"--b\r\nContent-Type: application/octet-stream; name={name}\r\n"
                   f"Content-Transfer-Encoding: base64\r\n\r\n{body}--b--", headers=MIXED)


def zipped(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def bomb():
    """As 42.zip: each of many archives holds many, and so on; 16 * 16 * 16 * 16 times 4 MB."""
    inner = zipped({"0.exe": bytes(4_000_000)})
    for _ in range(4):
        inner = zipped({f"{number}.zip": inner for number in range(16)})
    return inner


def overlapping():
    """An archive whose many entries all lead to the same bytes, as of David Fifield's bombs."""
    plain = zipped({"a.exe": bytes(1_000_000)})
    start = plain.index(b"PK\1\2")
    end = plain.index(b"PK\5\6")
    entries = plain[start:end] * 30_000
    count = (30_000).to_bytes(2, "little")
    return (plain[:start] + entries + plain[end:end + 8] + count + count
            + len(entries).to_bytes(4, "little") + start.to_bytes(4, "little") + b"\0\0")


ARCHIVES = {
    # name: how it is made, is the program in it seen?
    "zeros": (lambda: zipped({"a.exe": bytes(100_000_000)}), True),
    "nested": (bomb, False),
    "overlapping": (overlapping, True),
    "in each other": (lambda: zipped({"a.zip": zipped({"a.exe": b"MZ"})}), False),
    "60,000 names": (lambda: zipped({f"{number}": b"" for number in range(60_000)} | {"a.exe": b"MZ"}), True),
    "cut": (lambda: zipped({"a.exe": b"MZ"})[:-30], True),
    "garbage": (lambda: b"PK\3\4" + bytes(range(256)) * 1000, False),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives(place, name):
    """Names are listed and nothing is unpacked; what is not seen is said."""
    make, is_seen = ARCHIVES[name]
    record = deliver(place, attached(make(), "a.zip"))
    assert facts(record, "attachment") == ["archive"]
    assert facts(record, "executable") == ["yes" if is_seen else "no"]


BROKEN = {
    # name: headers, text, a fault, is the link at its end found?
    "10,000 nested": (MIXED, ("--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 10_000) + LAST,
                      "too_deep", True),
    "10,000 messages": ("Content-Type: message/rfc822\r\n", "Content-Type: message/rfc822\r\n\r\n" * 10_000
                        + HTML + "\r\n" + LINK, "too_deep", True),
    "10,000 parts": (MIXED, "--b\r\n\r\nx\r\n" * 10_000 + LAST, "too_many", True),
    "boundary of 70": (MIXED.replace("=b", "=" + "b" * 70), LAST.replace("--b", "--" + "b" * 70), None, True),
    "boundary of 998": (MIXED.replace(" boundary=b", "\r\n boundary=" + "b" * 998),
                        LAST.replace("--b", "--" + "b" * 998), None, True),
    "boundary of 1,000": (MIXED.replace(" boundary=b", "\r\n boundary=" + "b" * 1000),
                          LAST.replace("--b", "--" + "b" * 1000), "boundary_missing", True),
    "tag": (HTML, LINK + "<a href=x " + "b=c " * 100_000, None, True),
    "attribute": (HTML, LINK + "<a href=\"" + "b " * 200_000, None, True),
    "comment": (HTML, LINK + "<!--" + "- " * 200_000, None, True),
    "style": (HTML, LINK + "<style>a{b:url(" + "x\r\n" * 100_000, None, True),
    "entity": (HTML, LINK + "&" + "a" * 500_000, None, True),
    "script": (HTML, LINK + "<script><!--<script>" + "<a>\r\n" * 100_000, None, True),
    "field of 64 KiB": ("X: " + "y" * 65536 + "\r\n" + HTML, LINK, "header_long", True),
    "field of 100 KiB": (HTML + "X: " + "y\r\n " * 25_000 + "z\r\n", LINK, None, True),
    "type of 64 KiB": ("Content-Type: text/html; x=" + "y" * 70_000 + "\r\n", LINK, "header_long", True),
    "20,000 fields": ("X: y\r\n" * 20_000 + HTML, LINK, None, True),
    "1,000 parameters": ("Content-Type: text/html" + ";\r\n a=b" * 1000 + "\r\n", LINK, "parameter_bad", True),
    "10,000 hosts": (HTML, "".join(f"<a href=//h{n}.example.net>x</a>\r\n" for n in range(10_000)) + LINK,
                     None, False),
    "an address of 100 KB": ("", "http://last.example.com/" + "x" * 100_000, None, True),
    "user information of 100 KB": (HTML, f"<a href='http://{'u' * 100_000}@h.example.net'>x</a>{LINK}", None, True),
    "200 encoded words": ("Subject: " + "=?utf-8?q?=C3=A9?=\r\n " * 200 + "x\r\n" + HTML, LINK, None, True),
    "5,000 encoded words": (MIXED, "--b\r\nContent-Type: a/b;\r\n name=\"" + "=?utf-8?q?=C3?=\r\n " * 5000
                            + "\"\r\n\r\nx" + LAST, "name_encoded", True),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken(place, name):
    headers, text, fault, is_found = BROKEN[name]
    record = deliver(place, message("broken", text, headers=headers))
    assert fault is None or fault in facts(record, "fault"), facts(record, "fault")
    assert facts(record, "result") == ["broken" if facts(record, "fault") != ["none"] else "ok"]
    assert int(facts(record, "parts")[0]) <= 1000 and int(facts(record, "depth")[0]) <= 51
    if is_found:
        assert facts(record, "bl", "surbl") == ["bad"]
    else:
        assert facts(record, "limit", "surbl") == ["yes"]


def test_long_header(place):
    """A header beyond its limit is refused for good, and the session goes on."""
    backend, program = place
    with connect(program.port) as client:
        reply = client.mail("a@example.org", "c@example.com", "X: " + "y\r\n " * 200_000 + "z\r\n\r\nx\r\n")
        assert (reply.code, reply.enhanced) == (552, "5.3.4")
        assert client.command("NOOP").code == 250
    assert not backend.mails


@pytest.mark.parametrize("at", ["header", "boundary", "body"])
def test_every_byte(place, at):
    """All bytes that may pass, and what a message may not have is mended or refused, never lost."""
    backend, program = place
    octets = bytes(byte for byte in range(1, 256) if byte not in b"\r\n")
    head = b"Subject: x\r\nMIME-Version: 1.0\r\n"
    boundary = octets.replace(b"\\", b"").replace(b'"', b"").replace(b"\x7f", b"") if at == "boundary" else b"b"
    if at == "header":
        head += b"X: " + octets + b"\r\nContent-Type: text/plain; name=\"" + octets.replace(b'"', b"") + b"\"\r\n"
    mail = (head + b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n--' + boundary
            + b"\r\nContent-Type: text/html\r\n\r\n" + (octets if at == "body" else b"")
            + LINK.encode() + b"\r\n--" + boundary + b"--\r\n")
    record = deliver(place, mail)
    assert facts(record, "bl", "surbl") == ["bad"]


def big(kind):
    size = 100 * 1024 * 1024
    if kind == "one line":
        return message("big", "http://last.example.com/ " + "x" * size)
    if kind == "base64":
        line = base64.b64encode(bytes(57)).decode() + "\r\n"
        return message("big", f"--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                       f"{line * (size // len(line))}{LAST}", headers=MIXED)
    raise ValueError(kind)


@pytest.mark.seconds(120)
@pytest.mark.parametrize("kind", ["one line", "base64"])
def test_big(place, kind):
    """100 MB pass in bounded time and memory."""
    mail = big(kind)
    begun = time.monotonic()
    record = deliver(place, mail)
    assert time.monotonic() - begun < 60
    assert record["size"] == len(mail)
    assert facts(record, "bl", "surbl") == ["bad"]
    assert facts(record, "fault") == ["truncated"]
