"""postern explain: facts and verdict for a message in a file, with real name servers."""

import hashlib
import json
import os
import pty
import re
import subprocess
import time

import pytest

from kit.postern import PosternProcess, program
from kit.process import free_port

ZONES = {
    "example.org": "mail A 198.51.100.5\nother A 192.0.2.99\n",
    "100.51.198.in-addr.arpa": (
        "5 PTR mail.example.org.\n6 PTR other.example.org.\n7 PTR mail.broken.example.\n"),
}
POLICY = [
    {"name": "blocked", "when": {"ip_list": "block"}, "do": "reject",
     "text": "5.7.1 {client} is blocked here"},
    {"name": "nameless", "when": {"ptr": ["none", "mismatch"]}, "score": 6},
    {"name": "dns-down", "when": {"ptr": "error"}, "do": "defer"},
    {"name": "mended", "when": {"smtp.bare_newline": True}, "score": 7},
    {"name": "trial", "when": {"ptr": "pass"}, "do": "reject", "mode": "shadow"},
    {"name": "off", "when": {"ip_list": "allow"}, "for": ["d@example.com"], "do": "accept"},
]
FILTERS = {"ptr": {}, "ip_list": {"block": ["203.0.113.0/24"], "allow": ["192.0.2.200"]}}
MESSAGE = b"From: a@example.org\nSubject: a\n test\n\nHello.\n.dot\n"
FILES = b"""\
Subject: =?utf-8?Q?caf=C3=A9?=
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

See the file.
--b
Content-Type: application/pdf
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf

JVBERi0xLjQ=
--b--
"""
ENVELOPE = ["--from", "a@example.org", "--rcpt", "c@example.com"]


class Explain:
    """A configuration, files, and the command; nothing is served."""

    def __init__(self, folder, dns, configuration=None):
        self.postern = PosternProcess(
            folder, {"filters": FILTERS, "policy": POLICY,
                     "thresholds": {"tag": 5, "reject": 12}, **(configuration or {})}, dns=dns)

    def write(self, message):
        path = self.postern.folder / "message.eml"
        path.write_bytes(message)
        return path

    def text(self, *words, message=MESSAGE):
        status, out, err = self.postern.command("explain", self.write(message), *words)
        assert status == 0 and err == "", (status, out, err)
        return out

    def json(self, *words, message=MESSAGE):
        out = self.text("--json", *words, message=message)
        assert out.count("\n") == 1 and out.endswith("\n")
        return json.loads(out)


@pytest.fixture(scope="module")
def resolver(start_module):
    nsd = start_module.nsd(ZONES)
    return start_module.unbound(nsd, forwards={"broken.example": free_port()})


@pytest.fixture
def explain(start, resolver):
    return Explain(start.folder("explain"), resolver.port)


def fact(record, name):
    found = [(one["value"], one["detail"]) for one in record["facts"]
             if f"{one['filter']}.{one['key']}" == name]
    assert len(found) == 1, record["facts"]
    return found[0]


def row(text, name):
    """The row of a rule or fact, without the bar."""
    lines = [line for line in text.splitlines() if re.search(rf"(^|\s){re.escape(name)}\s", line)]
    assert lines, text
    return re.sub(r"\|.*\|", "|", lines[0]).split()


@pytest.mark.parametrize("address, value, detail, action", [
    ("198.51.100.5", "pass", "mail.example.org", "accept"),
    ("198.51.100.6", "mismatch", "other.example.org", "tag"),
    ("198.51.100.8", "none", "no name", "tag"),
    ("2001:db8::1", "none", "no name", "tag"),
])
def test_ptr(explain, address, value, detail, action):
    record = explain.json("--ip", address, *ENVELOPE)
    assert fact(record, "ptr.result") == (value, detail)
    assert record["verdict"]["action"] == action
    assert record["point"] == "message" and record["reply"] is None
    assert record["client"]["ip"] == address
    assert record["client"]["name"] == ("mail.example.org" if value == "pass" else None)


@pytest.mark.seconds(90)
def test_ptr_error(explain):
    record = explain.json("--ip", "198.51.100.7", *ENVELOPE)
    assert fact(record, "ptr.result")[0] == "error"
    assert record["verdict"]["action"] == "defer" and record["verdict"]["rule"] == "dns-down"
    assert record["reply"].startswith("451 4.")


def test_dead_name_server(start):
    explain = Explain(start.folder("explain"), free_port())
    explain.postern.configure({
        "filters": FILTERS, "policy": POLICY,
        "dns": {"servers": [f"127.0.0.1:{explain.postern.dns}"], "timeout": "2s"}})
    before = time.monotonic()
    record = explain.json("--ip", "198.51.100.5", *ENVELOPE)
    assert time.monotonic() - before < 10
    assert fact(record, "ptr.result")[0] == "error"
    assert record["reply"].startswith("451 ")


def test_no_decision_waits_longer_than_its_limit(start):
    explain = Explain(start.folder("explain"), free_port())
    explain.postern.configure({
        "filters": FILTERS, "policy": POLICY, "timeouts": {"facts": "1s"},
        "dns": {"servers": [f"127.0.0.1:{explain.postern.dns}"], "timeout": "20s"}})
    before = time.monotonic()
    text = explain.text("--ip", "198.51.100.5", *ENVELOPE)
    assert time.monotonic() - before < 10
    assert "not all of them came in time" in text and "no answer in time" in text
    assert re.search(r"c@example.com +defer +451 4.4.3", text)
    assert row(text, "dns-down")[2:4] == ["not", "known"] or \
        row(text, "nameless")[2:4] == ["not", "known"]


def test_record(explain):
    record = explain.json(
        "--ip", "198.51.100.5", "--helo", "mail.example.org", "--tls", "TLSv1.3", "--user", "u",
        *ENVELOPE)
    assert list(record) == [
        "case", "time", "point", "listener", "client", "from", "recipients", "size", "subject",
        "facts", "verdict", "reply", "backend", "body", "policy", "parts", "uris"]
    assert re.fullmatch("[0-9A-Z]{8}", record["case"])
    assert record["listener"] == f"127.0.0.1:{explain.postern.port}"
    assert record["client"] == {
        "ip": "198.51.100.5", "name": "mail.example.org", "helo": "mail.example.org",
        "tls": "TLSv1.3", "user": "u"}
    assert record["from"] == "a@example.org" and record["recipients"] == ["c@example.com"]
    assert record["size"] == len(MESSAGE.replace(b"\n", b"\r\n"))
    assert record["subject"].split() == ["a", "test"]
    assert fact(record, "smtp.auth") == ("yes", "u")
    assert fact(record, "smtp.tls") == ("yes", "TLSv1.3")
    assert all(one["ms"] >= 0 for one in record["facts"])
    assert record["verdict"]["shadow"] == [{"rule": "trial", "action": "reject"}]
    assert record["backend"] == {"server": None, "reply": None}
    assert re.fullmatch("[0-9a-f]{64}", record["body"]["in"]) and record["body"]["out"] is None


def test_parts(explain):
    record = explain.json("--ip", "198.51.100.5", *ENVELOPE, message=FILES)
    digest = hashlib.sha256(b"%PDF-1.4").hexdigest()
    assert record["subject"] == "caf\u00e9"
    assert [list(part.values())[:5] for part in record["parts"]] == [
        ["1", "multipart/mixed", None, None, None],
        ["1.1", "text/plain", "utf-8", None, None],
        ["1.2", "application/pdf", None, "r\u00e9sum\u00e9.pdf", "base64"]]
    assert "size" not in record["parts"][0]
    assert record["parts"][2]["size"] == 8 and record["parts"][2]["sha256"] == digest


def test_defaults(explain):
    record = explain.json("--ip", "2001:db8::1")
    assert record["client"]["helo"] == "[IPv6:2001:db8::1]"
    assert record["from"] == "" and record["recipients"] == ["postmaster"]


def test_blocked(explain):
    record = explain.json("--ip", "203.0.113.9", *ENVELOPE)
    assert record["point"] == "rcpt" and record["verdict"]["rule"] == "blocked"
    assert record["reply"] == f"550 5.7.1 203.0.113.9 is blocked here (case {record['case']})"
    assert fact(record, "smtp.bare_newline") == ("no", "")  # facts are gathered to the end
    text = explain.text("--ip", "203.0.113.9", *ENVELOPE)
    assert row(text, "blocked")[2:4] == ["held", "reject"]
    assert row(text, "nameless")[2:4] == ["not", "reached"]
    assert "Rules for the message" not in text


def test_blocked_at_once(start, resolver):
    explain = Explain(start.folder("explain"), resolver.port, {
        "policy": [{"name": "out", "when": {"ip_list": "block"}, "do": "reject",
                    "speak": "at_once"}]})
    record = explain.json("--ip", "203.0.113.9", *ENVELOPE)
    assert record["point"] == "connect" and record["recipients"] == []
    assert record["reply"].startswith("554 5.7.1 ")
    text = explain.text("--ip", "203.0.113.9", *ENVELOPE)
    assert re.search(r"the connection +reject +554 5.7.1 ", text)
    assert "  mail\n" not in text


def test_relay_denied(explain):
    record = explain.json("--ip", "198.51.100.5", "--rcpt", "x@example.net")
    assert record["verdict"]["rule"] == "relay"
    assert record["reply"].startswith("550 5.7.1 Relaying denied (case ")
    assert record["recipients"] == ["x@example.net"]
    record = explain.json("--ip", "198.51.100.5", "--rcpt", "x@example.net", "--user", "u")
    assert record["verdict"]["action"] == "accept"


def test_two_recipients(explain):
    words = ["--ip", "198.51.100.8", "--rcpt", "c@example.com", "--rcpt", "x@example.net"]
    record = explain.json(*words)
    assert record["point"] == "message" and record["recipients"] == ["c@example.com"]
    text = explain.text(*words)
    assert re.search(r"c@example.com +accept +as the mail server answers", text)
    assert re.search(r"x@example.net +reject +550 5.7.1 Relaying denied", text)
    assert re.search(r"the message +tag +as the mail server answers", text)
    assert "Rules for <x@example.net>" in text and "Rules for the message" in text


def test_recipients_that_differ(explain):
    words = ["--ip", "192.0.2.200", "--rcpt", "c@example.com", "--rcpt", "d@example.com"]
    text = explain.text(*words)
    assert re.search(r"d@example.com +later +452 4.5.3 ", text)
    assert row(text, "off")[2:4] == ["for", "others"]
    assert explain.json(*words)["recipients"] == ["c@example.com"]


def test_waterfall(explain):
    text = explain.text("--ip", "198.51.100.5", *ENVELOPE)
    assert text.isascii()
    facts = text.partition("\nFacts\n")[2].partition("\nRules")[0]
    stages = [line.strip() for line in facts.splitlines() if re.match("  [a-z]", line)]
    assert stages == ["connect", "mail", "rcpt c@example.com", "end"]
    pointer = row(text, "ptr.result")
    assert pointer[1] == "pass" and pointer[-1] == "mail.example.org"
    bars = re.findall(r"\|([=> ]{24})\|", text)
    assert len(bars) == text.count(" ms ") and "=" * 23 + ">" in bars
    assert row(text, "trial")[2:6] == ["held", "shadow:", "would", "reject"]


@pytest.mark.parametrize("locale, is_unicode", [("C.UTF-8", True), ("C", False)])
def test_terminal(explain, locale, is_unicode):
    """Bars of other characters than ASCII only where they can be shown."""
    ours, theirs = pty.openpty()
    arguments = [program(), "-c", explain.postern.file, "explain", explain.write(MESSAGE),
                 "--ip", "198.51.100.5", *ENVELOPE]
    child = subprocess.Popen(arguments, stdout=theirs, stdin=subprocess.DEVNULL, env={
        **os.environ, **explain.postern.environment, "LC_ALL": locale})
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 65536):
            text += piece
    except OSError:  # the end of a terminal
        pass
    os.close(ours)
    assert child.wait(10) == 0
    assert ("\u2501" in text.decode()) == is_unicode
    assert text.isascii() != is_unicode


def test_control_characters_are_shown(explain):
    """What a peer has written cannot reach the terminal as a command."""
    text = explain.text("--ip", "198.51.100.5", *ENVELOPE,
                        message=b"Subject: \x1b[2Ja\x07\n\nb\n")
    assert "\x1b" not in text and "\x07" not in text and "[2Ja" in text


def test_filter_that_is_off(start, resolver):
    explain = Explain(start.folder("explain"), resolver.port, {"filters": {"ip_list": {}}})
    text = explain.text("--ip", "198.51.100.5", *ENVELOPE)
    assert row(text, "nameless")[2:4] == ["filter", "off"]


def test_shadow_of_all(start, resolver):
    explain = Explain(start.folder("explain"), resolver.port, {"mode": "shadow"})
    record = explain.json("--ip", "203.0.113.9", *ENVELOPE)
    assert record["verdict"]["action"] == "accept" and record["reply"] is None
    assert record["verdict"]["shadow"] == [{"rule": "blocked", "action": "reject"}]
    text = explain.text("--ip", "203.0.113.9", *ENVELOPE)
    assert re.search("would be +reject, if not for mode: shadow", text)


@pytest.mark.parametrize("message, is_bare", [
    (b"Subject: a\n\nb\n", "no"),
    (b"Subject: a\r\n\r\nb\r\n", "no"),
    (b"Subject: a\n\nb", "no"),
    (b"", "no"),
    (b"Subject: a\r\n\r\nb\nc\r\n", "yes"),
    (b"Subject: a\n\nb\rc\n", "yes"),
    (b"Subject: a\r\n\r\nb\r", "yes"),
])
def test_line_ends(explain, message, is_bare):
    record = explain.json("--ip", "198.51.100.5", *ENVELOPE, message=message)
    assert fact(record, "smtp.bare_newline")[0] == is_bare
    assert record["verdict"]["action"] == ("tag" if is_bare == "yes" else "accept")


def test_the_same_message_has_the_same_hash(explain):
    ends = [MESSAGE, MESSAGE.replace(b"\n", b"\r\n"), MESSAGE[:-1]]
    records = [explain.json("--ip", "198.51.100.5", *ENVELOPE, message=one) for one in ends]
    assert len({one["body"]["in"] for one in records}) == 1


def test_limits_of_the_message(start, resolver):
    explain = Explain(start.folder("explain"), resolver.port, {"limits": {"message_size": 1000}})
    record = explain.json("--ip", "198.51.100.5", *ENVELOPE, message=MESSAGE + b"x" * 1000)
    assert record["verdict"]["rule"] == "limits"
    assert re.fullmatch(r"552 5.3.4 .*\(case [0-9A-Z]{8}\)", record["reply"])
    text = explain.text("--ip", "198.51.100.5", *ENVELOPE, message=MESSAGE + b"x" * 1000)
    assert row(text, "limits")[2:4] == ["held", "reject"]


def test_long_message(explain):
    """Longer than any buffer; cut everywhere in its lines."""
    message = MESSAGE + b"".join(b"%d\n.\n" % number for number in range(200000))
    record = explain.json("--ip", "198.51.100.5", *ENVELOPE, message=message)
    assert record["size"] == len(message) + message.count(b"\n")


@pytest.mark.parametrize("is_file", [True, False])
def test_standard_input(explain, is_file):
    arguments = [program(), "-c", explain.postern.file, "explain", "-", "--ip", "198.51.100.5",
                 "--json", *ENVELOPE]
    environment = {**os.environ, **explain.postern.environment}
    given = {"stdin": open(explain.write(MESSAGE), "rb")} if is_file else {"input": MESSAGE}
    done = subprocess.run(arguments, env=environment, capture_output=True, timeout=30, **given)
    assert done.returncode == 0 and done.stderr == b""
    assert json.loads(done.stdout)["size"] == len(MESSAGE.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("words, why", [
    ([], "--ip is missing"),
    (["{file}"], "--ip is missing"),
    (["--ip", "192.0.2.1"], "one FILE is expected"),
    (["{file}", "{file}", "--ip", "192.0.2.1"], "one FILE is expected"),
    (["{file}", "--ip", "192.0.2"], "--ip 192.0.2: not an address"),
    (["{file}", "--ip"], "requires an argument"),
    (["{file}", "--ip", "192.0.2.1", "--what"], "unrecognized option"),
    (["{file}", "--ip", "192.0.2.1", "--helo", "a b"], "--helo a b:"),
    (["{file}", "--ip", "192.0.2.1", "--from", "a@b@c"], "--from a@b@c:"),
    (["{file}", "--ip", "192.0.2.1", "--rcpt", ""], "--rcpt :"),
    (["{file}", "--ip", "192.0.2.1", "--rcpt", "c@example.com> SIZE=1 <"], "--rcpt c@"),
    (["{file}", "--ip", "192.0.2.1", "--tls", "1.3"], "--tls 1.3:"),
    (["{file}", "--ip", "192.0.2.1", "--user", ""], "--user :"),
])
def test_bad_usage(explain, words, why):
    words = [word.format(file=explain.write(MESSAGE)) for word in words]
    status, out, err = explain.postern.command("explain", *words)
    assert status == 64 and out == "" and why in err, err


@pytest.mark.parametrize("name", ["missing.eml", "."])
def test_file_that_cannot_be_read(explain, name):
    status, out, err = explain.postern.command("explain", name, "--ip", "192.0.2.1")
    assert status == 66 and out == "" and err.startswith(f"postern explain: {name}: ")


def test_faulty_configuration(explain):
    explain.postern.file.write_text("hostnam: x\n")
    status, out, err = explain.postern.command(
        "explain", explain.write(MESSAGE), "--ip", "192.0.2.1")
    assert status == 78 and out == "" and "hostnam" in err
