"""What a session does with each kind of verdict, in front of Postfix."""

import re

import pytest

from kit.smtp import Smtp, message

POLICY = [
    {"name": "out", "when": {"ip_list": "block"}, "do": "reject", "speak": "at_once"},
    {"name": "gone", "when": {"ip_list": "none"}, "for": ["gone@example.com"], "do": "discard"},
    {"name": "other", "when": {"ip_list": "none"}, "for": ["other@example.com"],
     "do": "redirect", "to": "c@example.com"},
    {"name": "no", "when": {"ip_list": "none"}, "for": ["no@example.com"], "do": "reject"},
    {"name": "bare", "when": {"smtp.bare_newline": True}, "do": "defer"},
    {"name": "known", "when": {"ip_list": "allow"}, "do": "accept"},
    {"name": "marked", "when": {"ip_list": "none"}, "do": "tag"},
]


@pytest.fixture(scope="module")
def postern(start_module, backend):
    lists = {"block": ["127.0.0.9"], "allow": ["127.0.0.8"]}
    return start_module.postern({"filters": {"ip_list": lists}, "policy": POLICY}, backend=backend)


@pytest.fixture
def client(postern):
    with Smtp(postern.port) as client:
        client.greet()
        yield client


def record_of(postern, reply):
    """By the case number that the client was told."""
    case = re.search(r"\(case (\w+)\)$", reply.text)[1]
    return postern.wait_log(lambda line: line.get("case") == case)


def test_refused_at_once(postern):
    with Smtp(postern.port, source="127.0.0.9") as client:
        reply = client.reply()
        assert reply.code == 554 and reply.enhanced == "5.7.1"
    record = record_of(postern, reply)
    assert record["point"] == "connect" and record["verdict"]["rule"] == "out"


def test_tag_and_accept(postern, backend, client, token):
    assert client.mail("a@example.org", "c@example.com", message(token)).code == 250
    with Smtp(postern.port, source="127.0.0.8") as known:
        known.greet()
        assert known.mail("a@example.org", "d@example.com", message(token)).code == 250
    mails = {mail.header("Delivered-To"): mail for mail in backend.inbox.wait(token, 2)}
    verdict = mails["c@example.com"].header("X-Postern-Verdict")
    assert verdict.startswith("tag; score=0.0; rule=marked; case=")
    assert mails["d@example.com"].headers("X-Postern-Verdict") == []


def test_refused_recipients(postern, client):
    for recipient, rule in [("no@example.com", "no"), ("x@example.net", "relay")]:
        reply = client.envelope("a@example.org", recipient)[-1]
        assert reply.code == 550 and reply.enhanced == "5.7.1"
        record = record_of(postern, reply)
        assert record["point"] == "rcpt" and record["verdict"]["rule"] == rule
        assert record["recipients"] == [recipient]
        assert client.command("RSET").code == 250


def test_refused_message(postern, client):
    client.envelope("a@example.org", "c@example.com")
    assert client.command("DATA").code == 354
    client.send(b"Subject: a\r\n\r\nb\nc\r\n.\r\n")
    reply = client.reply()
    assert reply.code == 451 and reply.enhanced == "4.7.1"
    record = record_of(postern, reply)
    assert record["point"] == "message" and record["verdict"]["rule"] == "bare"
    assert record["backend"]["reply"] is None


def test_discarded(postern, client, token):
    reply = client.mail("a@example.org", "gone@example.com", message(token))
    assert reply.code == 250
    record = record_of(postern, reply)
    assert record["verdict"]["action"] == "discard" and record["body"]["out"] is None


def test_redirected(backend, client, token):
    assert client.mail("a@example.org", "other@example.com", message(token)).code == 250
    assert backend.inbox.wait(token)[0].header("Delivered-To") == "c@example.com"


def test_recipients_that_differ_come_one_by_one(client):
    replies = client.envelope("a@example.org", "c@example.com", "gone@example.com")
    assert replies[-2].code == 250
    assert replies[-1].code == 452 and replies[-1].enhanced == "4.5.3"
