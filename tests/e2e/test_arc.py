"""ARC: chains that another program makes, with a real name server; and Received-SPF."""

import base64
import subprocess

import dkim
import pytest

from kit.smtp import connect

MESSAGE = (b"From: A <a@example.org>\r\nTo: c@example.com\r\nSubject: words\r\n"
           b"Date: Tue, 24 Nov 2026 05:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n"
           b"Hello  there, \r\n\r\nbye\r\n\r\n")


@pytest.fixture(scope="module")
def key():
    return subprocess.run(["openssl", "genrsa", "-traditional", "2048"], capture_output=True,
                          check=True).stdout


@pytest.fixture(scope="module")
def resolver(start_module, key):
    der = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=key,
                         capture_output=True, check=True).stdout
    text = "v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode()
    record = " ".join(f'"{text[i:i + 250]}"' for i in range(0, len(text), 250))
    return start_module.nsd({name: f"s._domainkey TXT {record}\n@ TXT \"v=spf1 ip4:127.0.0.1 -all\""
                             for name in ("example.net", "lists.example")})


def seal(message, key, host, domain, before):
    """With one set more; the field that says what was found is not left in."""
    pytest.importorskip("authres")
    found = b"Authentication-Results: " + host + b"; arc=" + before + b"; spf=pass\r\n"
    fields = dkim.arc_sign(found + message, b"s", domain, key, host)
    return b"".join(reversed(fields)) + message


def records_of(start, resolver, *messages):
    backend = start.scripted()
    program = start.postern({"filters": {"arc": {}}}, backend=backend, dns=resolver)
    with connect(program.port) as client:
        for raw in messages:
            assert client.mail("a@example.org", "c@example.com", raw).code == 250
    program.wait_log(lambda line: "case" in line)
    return [mail.raw for mail in backend.mails]


def test_chains(start, resolver, key):
    one = seal(MESSAGE, key, b"mx.example.net", b"example.net", b"none")
    two = seal(one, key, b"mx.lists.example", b"lists.example", b"pass")
    cases = [(MESSAGE, b"arc=none"), (one, b"arc=pass"), (two, b"arc=pass"),
             (two.replace(b"bye", b"buy"), b"arc=fail"),
             (two.replace(b"Subject: words", b"Subject: other"), b"arc=fail"),
             (two.replace(b"cv=pass", b"cv=none"), b"arc=fail"),
             (two.replace(b"ARC-Seal: i=1", b"X-Seal: i=1"), b"arc=fail")]
    for raw, (sent, want) in zip(records_of(start, resolver, *(raw for raw, _ in cases)), cases):
        assert raw.endswith(sent)
        assert want in raw[:raw.index(b"Received: ")], raw


@pytest.mark.parametrize("is_wanted", [True, False])
def test_received_spf(start, resolver, is_wanted):
    backend = start.scripted()
    program = start.postern({"filters": {"spf": {"received_spf": is_wanted} if is_wanted else {}}},
                            backend=backend, dns=resolver)
    with connect(program.port) as client:
        assert client.mail("a@lists.example", "c@example.com", MESSAGE).code == 250
    raw = backend.mails[0].raw
    assert (b"Received-SPF: pass (mx.example.com: ip4:127.0.0.1 of lists.example)\r\n"
            b"\tclient-ip=127.0.0.1; envelope-from=\"a@lists.example\";\r\n\thelo=" in raw) == is_wanted
    assert raw.endswith(MESSAGE)
