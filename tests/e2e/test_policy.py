"""What the policy says happens, and stands in the record."""

import email
import hashlib
import re

import pytest

from kit.smtp import Smtp, connect, message

BLOCKED, FRIEND = "127.0.0.66", "127.0.0.67"
LISTS = {"ip_list": {"allow": [FRIEND], "block": [{"file": "block.txt"}]}}
FILES = {"block.txt": "# ours\n192.0.2.0/24\n127.0.0.64/28\n"}


def start_with(start, *rules, **keys):
    """(backend, program): these rules, and lists on which BLOCKED and FRIEND stand."""
    backend = start.scripted()
    return backend, start.postern({"filters": LISTS, "policy": list(rules), **keys},
                                  backend=backend, files=FILES)


def deliver(program, source=None, to="c@example.com", text=message("x")):
    with connect(program.port, source=source) as client:
        return client.mail("a@example.org", to, text)


def record_of(program, number=0):
    def look(_):
        return len([line for line in program.log_json() if "case" in line]) > number
    program.wait_log(look)
    return [line for line in program.log_json() if "case" in line][number]


def fact_of(record, filter, key):
    return next(fact for fact in record["facts"] if (fact["filter"], fact["key"]) == (filter, key))


WHEN_BLOCKED = {"when": {"ip_list": "block"}}


# The record

def test_accepted_message(start, token):
    backend, program = start_with(start, {"name": "blocked", **WHEN_BLOCKED, "do": "reject"})
    text = message(token, "..two dots\r\n.one", headers="X-Long: a\r\n b\r\n")
    with connect(program.port) as client:
        replies = client.envelope("a@example.org", "c@example.com", "d@example.com")
        assert [reply.code for reply in replies] == [250] * 3
        assert client.data(text).code == 250
    record = record_of(program)
    assert set(record) == {
        "case", "time", "point", "listener", "client", "from", "recipients", "size", "subject",
        "facts", "verdict", "reply", "backend", "body", "policy"}
    assert re.fullmatch(r"[0-9A-Z]{6,10}", record["case"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])
    assert record["point"] == "message" and record["listener"] == f"127.0.0.1:{program.port}"
    assert record["client"] == {"ip": "127.0.0.1", "name": None, "helo": "client.example.org",
                                "tls": None, "user": None}
    assert record["from"] == "a@example.org"
    assert record["recipients"] == ["c@example.com", "d@example.com"]
    assert record["size"] == len(text) and record["subject"] == f"test {token}"
    assert record["verdict"] == {"action": "accept", "rule": None, "score": 0.0, "shadow": []}
    assert record["reply"] == "250 2.0.0 taken"
    assert record["backend"] == {"server": f"127.0.0.1:{backend.port}", "reply": "250 2.0.0 taken"}
    digest = hashlib.sha256(text).hexdigest()
    assert record["body"] == {"in": digest, "out": digest}
    assert re.fullmatch(r"[0-9a-f]{64}", record["policy"])
    for fact in record["facts"]:
        assert {"filter", "key", "value", "detail", "ms"} <= set(fact) and fact["ms"] >= 0
    assert fact_of(record, "relay", "result")["value"] == "domain"
    assert fact_of(record, "ip_list", "result")["value"] == "none"
    assert fact_of(record, "smtp", "tls")["value"] == "no"
    assert backend.mails[0].message == text


def test_refused_message(start):
    """At RCPT, so that the record has sender and recipient; the text with what it names."""
    backend, program = start_with(start, {
        "name": "blocked", **WHEN_BLOCKED, "do": "reject",
        "text": "5.7.99 {client} {helo} {from} {recipient} {rule}"})
    with connect(program.port, source=BLOCKED) as client:
        assert client.command("MAIL FROM:<a@example.org>").code == 250
        before = backend.connections
        reply = client.command("RCPT TO:<c@example.com>")
        assert client.command("DATA").code == 554
    record = record_of(program)
    assert reply.code == 550 and reply.enhanced == "5.7.99"
    assert reply.text == (f"5.7.99 {BLOCKED} client.example.org a@example.org c@example.com blocked "
                          f"(case {record['case']})")
    assert record["reply"] == f"550 {reply.text}" and record["point"] == "rcpt"
    assert record["verdict"]["action"] == "reject" and record["verdict"]["rule"] == "blocked"
    assert record["recipients"] == ["c@example.com"] and record["body"] == {"in": None, "out": None}
    fact = fact_of(record, "ip_list", "result")
    assert fact["value"] == "block" and fact["detail"].endswith("block.txt:3")
    # Refused mail costs the backend nothing.
    assert backend.connections == before and "MAIL FROM:<a@example.org>" not in backend.lines


def test_refused_after_the_text(start):
    backend, program = start_with(start, {
        "name": "bare", "when": {"smtp.bare_newline": "yes"}, "do": "reject"})
    for delivery, text in enumerate([b"Subject: x\r\n\r\na\nb\r\n", message("x")]):
        with connect(program.port) as client:
            client.envelope("a@example.org", "c@example.com")
            client.command("DATA")
            client.send(text + b".\r\n")
            assert client.reply().code == (250 if delivery else 550)
    record = record_of(program)
    assert record["point"] == "message" and record["subject"] == "x"
    assert record["body"]["out"] is None and len(record["body"]["in"]) == 64
    assert len(backend.mails) == 1


def test_lists(start):
    backend, program = start_with(
        start, {"name": "friend", "when": {"ip_list": "allow"}, "do": "accept"},
        {"name": "blocked", **WHEN_BLOCKED, "do": "reject"})
    assert deliver(program, BLOCKED).code == 550
    assert deliver(program, FRIEND).code == 250  # within the blocked network, and allowed
    assert deliver(program).code == 250
    assert record_of(program, 1)["verdict"]["rule"] == "friend"
    assert len(backend.mails) == 2


# The actions

def test_defer(start):
    backend, program = start_with(start, {"name": "later", **WHEN_BLOCKED, "do": "defer",
                                          "text": "4.7.99 not now"})
    reply = deliver(program, BLOCKED)
    assert reply.code == 451 and reply.enhanced == "4.7.99" and "not now (case " in reply.text
    assert record_of(program)["verdict"]["action"] == "defer" and backend.mails == []


@pytest.mark.parametrize("how", ["rule", "score"])
def test_tag(start, how):
    does = {"do": "tag"} if how == "rule" else {"score": 4.5}
    backend, program = start_with(start, {"name": "odd", **WHEN_BLOCKED, **does},
                                  thresholds={"tag": 4, "reject": 9})
    assert deliver(program, BLOCKED).code == 250
    assert deliver(program).code == 250
    record = record_of(program)
    tagged, plain = [email.message_from_bytes(mail.raw)["X-Postern-Verdict"]
                     for mail in backend.mails]
    assert plain is None
    name, score = ("odd", 0.0) if how == "rule" else ("thresholds", 4.5)
    assert tagged == f"tag; score={score}; rule={name}; case={record['case']}"
    assert record["verdict"]["action"] == "tag" and record["verdict"]["score"] == score


def test_scores_add_up_to_a_refusal(start):
    backend, program = start_with(
        start, {"name": "one", **WHEN_BLOCKED, "score": 5},
        {"name": "two", "when": {"smtp.tls": "no"}, "score": 4},
        {"name": "less", "when": {"ip_list": "allow"}, "score": -3},
        thresholds={"tag": 4, "reject": 9})
    assert deliver(program, BLOCKED).code == 550
    assert deliver(program).code == 250
    assert record_of(program)["verdict"] == {"action": "reject", "rule": None, "score": 9.0,
                                             "shadow": []}
    assert len(backend.mails) == 1


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_discard(start, delivery):
    backend, program = start_with(start, {"name": "away", **WHEN_BLOCKED, "do": "discard"},
                                  delivery=delivery)
    reply = deliver(program, BLOCKED)
    record = record_of(program)
    assert reply.code == 250 and record["case"] in reply.text
    assert record["verdict"]["action"] == "discard" and record["backend"]["reply"] is None
    assert deliver(program).code == 250
    assert len(backend.mails) == 1


def test_redirect(start):
    backend, program = start_with(start, {"name": "trap", **WHEN_BLOCKED, "do": "redirect",
                                          "to": "abuse@example.com"})
    assert deliver(program, BLOCKED, ["c@example.com", "d@example.com"]).code == 250
    assert deliver(program).code == 250
    assert [set(mail.recipients) for mail in backend.mails] == [
        {b"TO:<abuse@example.com>"}, {b"TO:<c@example.com>"}]
    record = record_of(program)
    assert record["verdict"]["action"] == "redirect" and record["recipients"][0] == "c@example.com"


# Shadow, scope, speaking at once

@pytest.mark.parametrize("where", ["rule", "filter", "all"])
def test_shadow(start, where):
    rule = {"name": "blocked", **WHEN_BLOCKED, "do": "reject"}
    keys = {}
    if where == "rule":
        rule["mode"] = "shadow"
    elif where == "filter":
        keys["filters"] = {"ip_list": {**LISTS["ip_list"], "mode": "shadow"}}
    else:
        keys["mode"] = "shadow"
    backend, program = start_with(start, rule, **keys)
    assert deliver(program, BLOCKED).code == 250
    verdict = record_of(program)["verdict"]
    assert verdict["action"] == "accept" and len(backend.mails) == 1
    assert verdict["shadow"] == [{"rule": "blocked", "action": "reject"}]


def test_recipients_that_would_differ(start):
    """The second one comes again in a transaction of its own; nobody's copy is dropped."""
    backend, program = start_with(start, {
        "name": "strict", "when": {"smtp.bare_newline": "yes"}, "for": "strict@example.com",
        "do": "reject"})
    with connect(program.port) as client:
        replies = client.envelope("a@example.org", "c@example.com", "strict@example.com",
                                  "d@example.com")
        assert [reply.code for reply in replies] == [250, 250, 452, 250]
        assert replies[2].enhanced == "4.5.3"
        bare = b"Subject: x\r\n\r\na\nb\r\n"
        assert client.data(bare).code == 250
        assert client.mail("a@example.org", "strict@example.com", bare).code == 550
        assert client.mail("a@example.org", "strict@example.com", message("x")).code == 250
    assert [len(mail.recipients) for mail in backend.mails] == [2, 1]


@pytest.mark.parametrize("scope, refused", [
    ("c@example.com", ["c@example.com", "C@EXAMPLE.COM"]), ("postmaster@", ["postmaster@example.com"]),
    ("example.com", ["c@example.com", "d@example.com"]), (".example.com", ["c@sub.example.com"]),
])
def test_for(start, scope, refused):
    _, program = start_with(start, {"name": "only", "for": scope, "do": "reject"},
                            relay={"domains": ["example.com", ".example.com"]})
    for to in ("c@example.com", "C@EXAMPLE.COM", "d@example.com", "c@sub.example.com",
               "postmaster@example.com"):
        wanted = 550 if to in refused or scope == "example.com" and "sub" not in to else 250
        assert deliver(program, to=to).code == wanted, to


def test_refusal_for_one_recipient_only(start):
    backend, program = start_with(start, {"name": "one", "for": "d@example.com", "do": "reject"})
    with connect(program.port) as client:
        replies = client.envelope("a@example.org", "c@example.com", "d@example.com", "e@example.com")
        assert [reply.code for reply in replies] == [250, 250, 550, 250]
        assert client.data(message("x")).code == 250
    assert len(backend.mails[0].recipients) == 2
    assert record_of(program)["point"] == "rcpt"
    assert record_of(program, 1)["recipients"] == ["c@example.com", "e@example.com"]


def test_speak_at_once(start):
    backend, program = start_with(start, {"name": "blocked", **WHEN_BLOCKED, "do": "reject",
                                          "speak": "at_once", "text": "5.7.1 {client} go away"})
    with Smtp(program.port, source=BLOCKED) as client:
        reply = client.reply()
        record = record_of(program)
        assert reply.code == 554
        assert reply.text == f"5.7.1 {BLOCKED} go away (case {record['case']})"
        assert client.is_ended()
    assert record["point"] == "connect" and record["verdict"]["rule"] == "blocked"
    assert deliver(program).code == 250


def test_shipped_policy(start):
    """The default policy as it comes: nobody is refused by it who is on no list."""
    backend = start.scripted()
    program = start.postern({"filters": LISTS, "policy": [{"include": "defaults/policy.yaml"}],
                             "thresholds": {"tag": 5, "reject": 12}}, backend=backend, files=FILES)
    assert deliver(program).code == 250
    reply = deliver(program, BLOCKED)
    assert reply.code == 550 and f"{BLOCKED} is blocked here" in reply.text


def test_text_log(start):
    """For people: one line, in which the case stands."""
    _, program = start_with(start, {"name": "blocked", **WHEN_BLOCKED, "do": "reject"},
                            log={"target": "stderr", "format": "text", "level": "info"})
    reply = deliver(program, BLOCKED)
    case = re.search(r"\(case (\w+)\)", reply.text)[1]
    lines = [line for line in program.text().splitlines() if case in line]
    assert len(lines) == 1 and BLOCKED in lines[0] and "blocked" in lines[0]
