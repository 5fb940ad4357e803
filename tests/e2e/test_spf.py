"""
SPF through postern explain, with real name servers: a sample of the conformance data of RFC 7208,
and what the shipped policy makes of the facts.
"""

import json
import re

import pytest

from kit.postern import PosternProcess
from kit.process import free_port

PER_SCENARIO = 2
MESSAGE = b"From: a@example.org\r\nSubject: test\r\n\r\nHello.\r\n"
_SIMPLE_NAME = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+\Z")
_SIMPLE_ADDRESS = re.compile(r"[A-Za-z0-9.+-]+@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+\Z")


def _bytes(field):
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), field).encode("latin-1")


def _escape(text):
    """For a zone file: in a name, dots stay dots."""
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 or byte in b"-_."
                   else f"\\{byte:03d}" for byte in text)


def _record(name, kind, values):
    name = _escape(_bytes(name)).rstrip(".") + "."
    if kind == "TXT":
        text = b"".join(map(_bytes, values))
        pieces = [text[at:at + 255] for at in range(0, len(text), 255)] or [b""]
        return f"{name} TXT " + " ".join(f'"{_escape(piece)}"' for piece in pieces)
    target = values[-1] if kind in ("A", "AAAA") else _escape(_bytes(values[-1])).rstrip(".") + "."
    return f"{name} {kind} " + " ".join([*values[:-1], target])


def _is_playable(case):
    """By the command line, and by name servers that never fail."""
    _, _, helo, sender, wanted, *_ = case
    return (_SIMPLE_NAME.match(helo) and (not sender or _SIMPLE_ADDRESS.match(sender))
            and "temperror" not in wanted)


def _scenarios(file):
    """[(scenario, zone as text, [case])]."""
    found = []
    for line in file.read_text().split("\n"):
        kind, *fields = line.split("\t")
        if kind == "scenario":
            found.append((fields[0], [], []))
        elif kind == "rr":
            name, what, *values = fields
            if what not in ("SPF", "TIMEOUT") and not (what == "MX" and not values[-1]):
                found[-1][1].append(_record(name, what, values))
        elif kind == "case" and _is_playable(fields):
            found[-1][2].append(fields)
    return [(title, "\n".join(zone) + "\n", cases) for title, zone, cases in found]


def _facts(record, key):
    return [one for one in record["facts"] if one["filter"] == "spf" and one["key"] == key]


def _explain(postern, *words):
    path = postern.folder / "message.eml"
    path.write_bytes(MESSAGE)
    status, out, err = postern.command("explain", path, "--json", "--rcpt", "c@example.com", *words)
    assert status == 0 and err == "", (status, out, err)
    return json.loads(out)


@pytest.mark.seconds(240)
def test_conformance(start, vectors):
    file = vectors / "spf" / "flat" / "rfc7208-tests.tsv"
    if not file.exists():
        pytest.skip(f"no {file}")
    played = 0
    for title, zone, cases in _scenarios(file):
        step = max(1, len(cases) // PER_SCENARIO)
        resolver = start.unbound(start.nsd({".": zone}))
        postern = PosternProcess(
            start.folder("explain"), {"filters": {"spf": {}}}, dns=resolver.port)
        for name, host, helo, sender, wanted, explanation, *_ in cases[::step]:
            record = _explain(postern, "--ip", host, "--helo", helo, "--from", sender)
            (result,) = _facts(record, "result")
            assert result["value"] in wanted.split(","), (title, name, result)
            said = _facts(record, "exp")
            if explanation == "=DEFAULT":
                assert not said, (title, name, said)
            elif explanation != "-":
                assert said[-1]["detail"].endswith(" explains: " + explanation[1:]), (title, name)
            played += 1
    assert played >= 25


ZONES = {"example.org": (
    "@ TXT \"v=spf1 ip4:192.0.2.0/24 include:soft.example.org -all exp=why.example.org\"\n"
    "soft TXT \"v=spf1 a:host.example.org ?all\"\n"
    "host A 198.51.100.7\n"
    "why TXT \"%{i} is no server of %{o}; ask %{r}\"\n"
    "unsure TXT \"v=spf1 ~all\"\n"
    "faulty TXT \"v=spf1 ip4:192.0.2 -all\"\n"
    "sick TXT \"v=spf1 a:x.broken.example -all\"\n"
    "mail TXT \"v=spf1 ip4:192.0.2.1 -all\"\n")}


@pytest.fixture(scope="module")
def resolver(start_module):
    return start_module.unbound(start_module.nsd(ZONES), forwards={"broken.example": free_port()})


@pytest.fixture
def postern(start, resolver):
    return PosternProcess(start.folder("explain"), {
        "filters": {"spf": {}}, "policy": [{"include": "defaults/policy.yaml"}],
        "thresholds": {"tag": 4, "reject": 12}, "dns": {
            "servers": [f"127.0.0.1:{resolver.port}"], "timeout": "2s"}})


@pytest.mark.parametrize("address, sender, value, detail, score", [
    ("192.0.2.9", "a@example.org", "pass", "ip4:192.0.2.0/24 of example.org", 0),
    ("198.51.100.7", "a@example.org", "pass", "include:soft.example.org of example.org", 0),
    ("198.51.100.8", "a@example.org", "fail", "-all of example.org", 4),
    ("198.51.100.8", "a@unsure.example.org", "softfail", "~all of unsure.example.org", 1.5),
    ("198.51.100.8", "a@faulty.example.org", "permerror",
     "record of faulty.example.org: no network: ip4:192.0.2", 0.5),
    ("198.51.100.8", "a@none.example.org", "none", "none.example.org has no SPF record", 0),
    ("192.0.2.1", "", "pass", "ip4:192.0.2.1 of mail.example.org", 0),
])
def test_facts_and_scores(postern, address, sender, value, detail, score):
    record = _explain(
        postern, "--ip", address, "--helo", "mail.example.org", "--from", sender)
    (result,) = _facts(record, "result")
    assert (result["value"], result["detail"]) == (value, detail)
    assert record["verdict"]["score"] == score
    assert record["verdict"]["action"] == ("tag" if score >= 4 else "accept")
    (helo,) = _facts(record, "helo")
    assert helo["value"] == ("pass" if address == "192.0.2.1" else "fail")


def test_explanation(postern):
    record = _explain(postern, "--ip", "198.51.100.8", "--helo", "[198.51.100.8]",
                      "--from", "a@example.org")
    assert [one["detail"] for one in _facts(record, "exp")] == [
        "example.org explains: 198.51.100.8 is no server of example.org; ask mx.example.com"]
    (helo,) = _facts(record, "helo")
    assert (helo["value"], helo["detail"]) == ("none", "not a domain name")


@pytest.mark.seconds(90)
def test_name_server_that_is_down(postern):
    record = _explain(postern, "--ip", "198.51.100.8", "--helo", "[198.51.100.8]",
                      "--from", "a@sick.example.org")
    (result,) = _facts(record, "result")
    assert result["value"] == "temperror"
    assert result["detail"].startswith(
        "a:x.broken.example of sick.example.org: A of x.broken.example: ")
    assert record["verdict"]["action"] == "accept"


def test_users_who_log_in_are_not_scored(postern):
    record = _explain(postern, "--ip", "198.51.100.8", "--helo", "mail.example.org",
                      "--from", "a@example.org", "--user", "u")
    (result,) = _facts(record, "result")
    assert result["value"] == "fail" and record["verdict"]["score"] == 0
