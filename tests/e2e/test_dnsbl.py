"""
DNS lists in traffic: a list that goes bad in the middle of it, late answers, answers that lie, keys
that nobody may see; and what the shipped policy makes of it all.
"""

import json
import re
import struct
import time

import pytest

from kit.rbldnsd import EVERYTHING, message, record, wire_name
from kit.smtp import Smtp, message as mail_text

LISTED = [{"name": "listed", "when": {"dnsbl.bl": "bad"}, "do": "reject"}]
CODES = {"127.0.0.2": "bad"}


def configuration(lists=None, policy=LISTED, guard=None, **more):
    lists = lists or [{"id": "bl", "zone": "bl.test", "codes": CODES}]
    return {"filters": {"dnsbl": {"lists": lists, **({"guard": guard} if guard else {})}},
            "policy": policy, "limits": {"sessions_per_client": 1000}, **more}


@pytest.fixture(scope="module")
def backend(start_module):
    return start_module.scripted()


def deliver(postern, source, token="t"):
    """The reply to the recipient if that is a refusal, else to the message."""
    with Smtp(postern.port, source=source) as client:
        client.greet()
        return client.mail("a@example.org", "c@example.com", mail_text(token))


def list_lines(postern):
    return [line for line in postern.log_json() if line.get("event") == "list"]


def source_of(number):
    return f"127.30.{number // 250}.{number % 250 + 1}"


# ---- a list that goes bad ----

@pytest.mark.parametrize("bad,most", [
    (":127.0.0.2:\n" + EVERYTHING, 19),
    (":127.0.0.2:\n" + EVERYTHING + "!127.0.0.1", 19),
    (":127.255.255.254:\n" + EVERYTHING, 0),
    (":203.0.113.7:\n" + EVERYTHING, 0),
    (":127.0.0.1:\n" + EVERYTHING, 0),
    (":127.0.0.3:\n" + EVERYTHING, 0),
], ids=["everything", "all_but_loopback", "public", "sold", "loopback", "unknown_code"])
def test_goes_bad_in_traffic(start, backend, bad, most):
    """Real listings and good clients, then the list answers all: at most 19 good ones are refused."""
    good = "127.0.0.2\n127.40.0.0/16 :127.0.0.2:"
    lists = start.rbldnsd({"bl.test": good})
    postern = start.postern(configuration(guard={"again": "1s"}), backend=backend, dns=lists)
    for number in range(30):
        assert deliver(postern, source_of(number)).code == 250
        if number % 3 == 0:
            assert deliver(postern, f"127.40.0.{number + 1}").code == 550
    lists.change({"bl.test": bad})
    codes = [deliver(postern, source_of(number)).code for number in range(100, 180)]
    refused = [number for number, code in enumerate(codes) if code != 250]
    assert len(refused) <= most
    assert set(codes) <= {250, 550}
    if most:
        assert refused == list(range(len(refused)))  # and none behind these
        assert len(list_lines(postern)) == 1
        assert "answers everything" in list_lines(postern)[0]["message"]
        assert list_lines(postern)[0]["level"] == "error"
    # It is mended, and counts again.
    lists.change({"bl.test": good})
    if list_lines(postern):
        postern.wait_log(lambda line: "counts again" in line.get("message", ""))
    assert deliver(postern, "127.40.0.200").code == 550
    assert deliver(postern, source_of(200)).code == 250


def test_many_at_once_while_it_goes_bad(start, backend):
    """The same with 60 sessions open at the same time."""
    lists = start.rbldnsd({"bl.test": "127.0.0.2"})
    postern = start.postern(configuration(), backend=backend, dns=lists)
    assert deliver(postern, source_of(0)).code == 250
    lists.change({"bl.test": ":127.0.0.2:\n" + EVERYTHING})
    clients = [Smtp(postern.port, source=source_of(number)) for number in range(300, 360)]
    for client in clients:
        client.send("EHLO client.example.org\r\nMAIL FROM:<a@example.org>\r\n"
                    "RCPT TO:<c@example.com>\r\n")
    codes = []
    for client in clients:
        replies = [client.reply().code for _ in range(4)]
        codes.append(replies[-1])
        client.close()
    assert codes.count(550) <= 19 and codes.count(250) == 60 - codes.count(550)


@pytest.mark.parametrize("bad", ["", ":127.0.0.2:\n" + EVERYTHING,
                                 ":127.255.255.254:\n" + EVERYTHING])
def test_bad_from_the_start(start, backend, bad):
    """Not one client is refused, and the first one hears why the list does not count."""
    lists = start.rbldnsd({"bl.test": bad})
    policy = [*LISTED, {"name": "failed", "when": {"dnsbl.bl": "error"}, "do": "tag"}]
    postern = start.postern(configuration(policy=policy), backend=backend, dns=lists)
    for number in range(5):
        assert deliver(postern, source_of(number), f"bad{number}").code == 250
    record = postern.wait_log(lambda line: line.get("point") == "message")
    fact = next(fact for fact in record["facts"] if fact["filter"] == "dnsbl")
    assert fact["value"] == "error" and fact["detail"] in list_lines(postern)[0]["message"]
    assert record["verdict"]["rule"] == "failed"
    assert len(list_lines(postern)) == 1
    asked = len(lists.queries())
    assert deliver(postern, source_of(9)).code == 250
    time.sleep(0.1)
    assert len(lists.queries()) == asked  # nobody asks it any more


def test_first_client_is_not_without_lists(start, backend):
    """It connects while the first check is still under way: its test points come after 300 ms."""
    def rule(name, query):
        return ["127.0.0.2"] if name in ("2.0.0.127.bl.test", "1.0.30.127.bl.test") else "nxdomain"

    server = start.rule_server(rule, delay=0.3)
    postern = start.postern(configuration(), backend=backend, dns=server)
    began = time.monotonic()
    assert deliver(postern, "127.30.0.1").code == 550
    assert time.monotonic() - began < 2.5


# ---- late answers ----

def test_lists_are_asked_side_by_side(start, backend):
    """Eight lists, each 50 ms late: the decision is 50 ms late, not 400."""
    server = start.rule_server(
        lambda name, query: ["127.0.0.2"] if name.startswith("2.0.0.127.") else "nxdomain", delay=0.05)
    lists = [{"id": f"l{number}", "zone": f"l{number}.test"} for number in range(8)]
    policy = [{"name": f"r{number}", "when": {f"dnsbl.l{number}": "listed"}, "do": "reject"}
              for number in range(8)]
    postern = start.postern(configuration(lists, policy), backend=backend, dns=server)
    deliver(postern, source_of(0))
    took = []
    for number in range(1, 6):
        with Smtp(postern.port, source=source_of(number)) as client:
            began = time.monotonic()
            client.greet()
            assert [reply.code for reply in client.envelope("a@example.org", "c@example.com")] == \
                [250, 250]
            took.append(time.monotonic() - began)
    assert 0.04 < min(took) < 0.25, took


def test_an_own_list_waits_for_nobody(start, backend):
    """A block list of one's own speaks while a DNS list does not answer at all."""
    server = start.rule_server(lambda name, query: None)
    options = configuration(policy=[
        {"name": "own", "when": {"ip_list": "block"}, "do": "reject"}, *LISTED])
    options["filters"]["ip_list"] = {"block": ["127.30.0.1"]}
    postern = start.postern({**options, "dns": {"servers": [f"127.0.0.1:{server.port}"],
                                                "timeout": "5s"}}, backend=backend)
    began = time.monotonic()
    assert deliver(postern, "127.30.0.1").code == 550
    assert time.monotonic() - began < 2


# ---- answers that lie ----

def a(address="127.0.0.2", **options):
    return record(1, bytes(map(int, address.split("."))), **options)


LIES = {
    "never": lambda query: None,
    "servfail": lambda query: "servfail",
    "refused": lambda query: "refused",
    "other_number": lambda query: message(query, [a()], number=struct.unpack("!H", query[:2])[0] ^ 1),
    "other_question": lambda query: message(query, [a()], question=wire_name("x.test") + b"\0\1\0\1"),
    "other_owner": lambda query: message(query, [a(owner=wire_name("other.test"))]),
    "no_answer_bit": lambda query: message(query, [a()], flags=0x0100),
    "short": lambda query: message(query, [a()])[:20],
    "only_a_head": lambda query: query[:12],
    "garbage": lambda query: query[:2] + b"\xff" * 200,
    "truncated": lambda query: message(query, [a()], flags=0x8780),
    "huge": lambda query: message(query, [a(f"127.0.0.{n % 250 + 2}") for n in range(2000)]),
    "many": lambda query: message(query, [a(f"127.0.1.{n}") for n in range(80)]),
    "long_record": lambda query: message(query, [record(1, b"\x7f\0\0\2" * 4)]),
    "record_past_the_end": lambda query: message(query, [a(length=400)]),
    "pointer_loop": lambda query: message(query, [a(owner=b"\xc0" + bytes([len(query[:])]))]),
    "cname_loop": lambda query: message(query, [
        record(5, b"\xc0\x0c")]),
    "cname_away": lambda query: message(query, [record(5, wire_name("sold.test"))])
    if b"\x04sold" not in query else message(query, [a("203.0.113.7")]),
    "only_text": lambda query: message(query, [record(16, b"\x04text")]),
    "outside": lambda query: ["203.0.113.7"],
    "listed_and_outside": lambda query: ["127.0.0.2", "203.0.113.7"],
}


@pytest.mark.parametrize("lie", LIES)
def test_answers_that_lie(start, backend, lie):
    """The test points are answered rightly, clients are not: no listing, and nobody waits for long."""
    def rule(name, query):
        if name == "2.0.0.127.bl.test":
            return ["127.0.0.2"]
        return LIES[lie](query) if re.search(r"\.(30\.127\.bl|sold)\.test$|^sold", name) else "nxdomain"

    server = start.rule_server(rule)
    policy = [*LISTED, {"name": "failed", "when": {"dnsbl.bl": "error"}, "do": "tag"}]
    postern = start.postern(configuration(policy=policy, dns={
        "servers": [f"127.0.0.1:{server.port}"], "timeout": "1s"}), backend=backend)
    began = time.monotonic()
    assert deliver(postern, "127.30.0.1").code == 250
    assert time.monotonic() - began < 4
    told = postern.wait_log(lambda line: line.get("point") == "message")
    facts = [fact for fact in told["facts"] if fact["filter"] == "dnsbl"]
    assert [fact["value"] for fact in facts] == (
        ["none"] if lie in ("only_text", "other_owner") else ["error"]), facts


def test_dead_list_costs_nothing(start, backend):
    """Servfail five times in a row, and it is checked; while it is suspended nobody asks it."""
    state = {"bad": False}

    def rule(name, query):
        if state["bad"]:
            return "servfail"
        return ["127.0.0.2"] if name == "2.0.0.127.bl.test" else "nxdomain"

    server = start.rule_server(rule)
    postern = start.postern(configuration(guard={"again": "1s"}), backend=backend, dns=server)
    assert deliver(postern, source_of(0)).code == 250
    time.sleep(1.1)
    state["bad"] = True
    for number in range(1, 8):
        assert deliver(postern, source_of(number)).code == 250
    postern.wait_log(lambda line: line.get("event") == "list" and "no answer" in line["message"])
    state["bad"] = False
    postern.wait_log(lambda line: line.get("event") == "list" and "counts again" in line["message"])
    assert deliver(postern, source_of(20)).code == 250
    assert f"{'.'.join(source_of(20).split('.')[::-1])}.bl.test" in server.names


# ---- a key is nobody's business ----

KEY = "k3ysecretofours"


@pytest.mark.parametrize("rule", [
    lambda name, query: ["127.0.0.2"], lambda name, query: "servfail",
    lambda name, query: ["127.255.255.254"], lambda name, query: b"\xff" * 40],
    ids=["everything", "servfail", "public", "garbage"])
def test_key_is_never_shown(start, backend, rule, monkeypatch):
    monkeypatch.setenv("DQS_KEY", KEY)
    server = start.rule_server(rule)
    lists = [{"id": "zen", "key": "${env:DQS_KEY}"}]
    postern = start.postern(configuration(
        lists, [{"name": "listed", "when": {"dnsbl.zen": ["sbl", "css"]}, "do": "reject"}],
        log={"target": "stderr", "format": "json", "level": "debug"},
        dns={"servers": [f"127.0.0.1:{server.port}"], "timeout": "1s"}), backend=backend)
    for number in range(3):
        assert deliver(postern, source_of(number)).code == 250
    said = postern.text()
    mail = postern.folder / "a.eml"
    mail.write_text("Subject: a\n\nb\n")
    for words in (["check"], ["check", "--print"], ["check", "--live"],
                  ["explain", mail, "--ip", "198.51.100.5", "--from", "a@example.org", "--rcpt",
                   "c@example.com", "--json"]):
        _, out, err = postern.command(*words)
        said += out + err
    assert KEY not in said.lower()
    assert any(f".{KEY}.zen.dq.spamhaus.net" in name for name in server.names)


def test_plain_key_is_not_printed_either(start):
    postern = start.postern(configuration([{"id": "zen", "key": KEY}], []))
    _, out, err = postern.command("check", "--print")
    assert KEY not in out + err and "(secret)" in out


# ---- the shipped policy, by postern explain ----

@pytest.fixture(scope="module")
def shipped(start_module, backend):
    zones = {
        "zen.spamhaus.org": "127.0.0.2\n127.50.0.1 :127.0.0.2:\n127.50.0.2 :127.0.0.4:\n"
                            "127.50.0.3 :127.0.0.10:\n127.50.0.4 :127.0.0.30:",
        "bl.spamcop.net": "127.0.0.2\n127.50.1.1\n127.50.1.2",
        "psbl.surriel.com": "127.0.0.2\n127.50.1.2",
        "b.barracudacentral.org": "127.0.0.2\n127.50.1.2",
        "list.dnswl.org": "127.0.0.2 :127.0.10.0:\n127.50.1.2 :127.0.5.3:",
    }
    lists = start_module.rbldnsd(zones)
    return start_module.postern({
        "filters": {"dnsbl": {"lists": ["zen", "spamcop", "psbl", "barracuda", "dnswl"]}, "helo": {}},
        "policy": [{"include": "defaults/policy.yaml"}], "thresholds": {"tag": 5, "reject": 12},
    }, backend=backend, dns=lists)


def explain(postern, address, *more, helo="[{}]"):
    mail = postern.folder / "a.eml"
    mail.write_text("Subject: a\n\nb\n")
    status, out, err = postern.command(
        "explain", mail, "--ip", address, "--helo", helo.format(address), "--from", "a@example.org",
        "--rcpt", "c@example.com", "--json", *more)
    assert status == 0, err
    return json.loads(out)


@pytest.mark.parametrize("address,rule", [("127.50.0.1", "spamhaus"), ("127.50.0.2", "spamhaus"),
                                          ("127.50.0.3", "spamhaus-pbl")])
def test_shipped_policy_refuses(shipped, address, rule):
    record = explain(shipped, address)
    assert record["verdict"]["action"] == "reject" and record["verdict"]["rule"] == rule
    assert record["reply"].startswith(f"550 5.7.1 {address} is ")
    assert "check.spamhaus.org" in record["reply"]
    assert explain(shipped, address, "--user", "u")["verdict"]["action"] == "accept"


@pytest.mark.parametrize("address,helo,score", [
    ("127.50.9.9", "[{}]", 0), ("127.50.0.4", "[{}]", 6), ("127.50.1.1", "[{}]", 3),
    ("127.50.1.2", "[{}]", 3 + 2 + 3 - 3), ("127.50.9.9", "{}", 3),
    ("127.50.9.9", "mx.example.com", 6), ("127.50.9.9", "[127.50.9.8]", 3),
    ("127.50.9.9", "a_b!", 2), ("127.50.9.9", "localhost", 1.5)])
def test_shipped_policy_scores(shipped, address, helo, score):
    assert explain(shipped, address, helo=helo)["verdict"]["score"] == score


def test_list_of_both_families(start, backend):
    """One zone for IPv4 and IPv6 in rbldnsd, and one for IPv6 alone with its own test points."""
    six = ("ip6trie", "::ffff:7f00:2/128 :127.0.0.2:\n2001:db8:5::/48 :127.0.0.4:")
    lists = start.rbldnsd({
        "both.test": ("combined", f"$DATASET ip4set @\n127.0.0.2\n$DATASET ip6trie @\n{six[1]}\n"),
        "six.test": six})
    rows = [{"id": "both", "zone": "both.test", "kind": "both", "codes": {"127.0.0.2-4": "bad"}},
            {"id": "six", "zone": "six.test", "kind": "ip6", "codes": {"127.0.0.4": "worse"}}]
    postern = start.postern(configuration(rows, []), backend=backend, dns=lists)
    for address, both, six in [("2001:db8:5::1", "bad", "worse"), ("2001:db8:6::1", "none", "none"),
                               ("127.0.0.2", "bad", "none"), ("127.0.0.9", "none", "none")]:
        facts = explain(postern, address, helo="x")["facts"]
        told = {fact["key"]: fact["value"] for fact in facts if fact["filter"] == "dnsbl"}
        assert told == {"both": both, "six": six}
