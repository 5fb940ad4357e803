"""DMARC: records from real name servers, SPF by the client's address, signatures by dkimpy."""

import json

import dkim
import pytest

from kit.process import free_port
from kit.smtp import connect, message

OURS, OTHER, FORWARDER = "127.0.0.1", "127.0.0.9", "127.0.0.10"
SHIPPED = {"policy": [{"include": "defaults/policy.yaml"}], "thresholds": {"tag": 5, "reject": 12}}

#: domain -> what stands at _dmarc; SPF of each allows OURS.
RECORDS = {
    "reject.example": "v=DMARC1; p=reject; sp=quarantine; np=reject; rua=mailto:d@reject.example",
    "strict.example": "v=DMARC1; p=reject; adkim=s; aspf=s",
    "quarantine.example": "v=DMARC1; p=quarantine",
    "testing.example": "v=DMARC1; p=reject; t=y",
    "none.example": "v=DMARC1; p=none",
    "old.example": "v=DMARC1; p=rejekt",
    "nothing.example": None,
}


@pytest.fixture(scope="module")
def key(start_module):
    """(file, the record's data) of the selector s1."""
    program = start_module.postern()
    file = program.folder / "key.pem"
    status, out, _ = program.command("dkim-key", "new", "x.example", "--selector", "s1", "--out", file)
    assert status == 0
    record = "".join(line for line in out.splitlines(True) if not line.startswith(";"))
    return file, record.split("TXT", 1)[1].strip()


@pytest.fixture(scope="module")
def resolver(start_module, key):
    zones = {}
    for domain, record in RECORDS.items():
        dmarc = f'_dmarc TXT "{record}"\n' if record else ""
        zones[domain] = (f'@ TXT "v=spf1 ip4:{OURS} -all"\nnews TXT "v=spf1 ip4:{OURS} -all"\n'
                         f"s1._domainkey TXT {key[1]}\n{dmarc}")
    nsd = start_module.nsd(zones)
    return start_module.unbound(nsd, forwards={"broken.example": free_port()})


@pytest.fixture
def gateway(start, resolver):
    """gateway({options of dmarc}, further keys): a postern with the shipped policy, its backend at .to"""
    def begin(options=None, **keys):
        backend = start.scripted()
        program = start.postern({
            "filters": {"spf": {}, "dkim": {}, "dmarc": options or {}}, **SHIPPED,
            "dns": {"servers": [f"127.0.0.1:{resolver.port}"], "timeout": "2s"}, **keys},
            backend=backend)
        program.to = backend
        return program
    return begin


def signed(text, key, domain):
    return dkim.sign(text, b"s1", domain.encode(), key[0].read_bytes()) + text


def send(program, source, sender, text):
    with connect(program.port, source=source) as client:
        return client.mail(sender, "c@example.com", text)


def facts(record, key):
    return [fact["value"] for fact in record["facts"] if (fact["filter"], fact["key"]) == ("dmarc", key)]


def last_record(program):
    return [line for line in program.log_json() if "case" in line][-1]


def added(program):
    """What the backend sees in front of the author's own fields."""
    return program.to.mails[-1].raw.decode().split("From: ")[0].replace("\r\n\t", " ")


@pytest.mark.parametrize("author, sender, source, signer, passes, aligned", [
    ("reject.example", "reject.example", OURS, None, True, ["spf"]),
    ("reject.example", "news.reject.example", OURS, None, True, ["spf"]),
    ("news.reject.example", "reject.example", OURS, None, True, ["spf"]),
    ("REJECT.example", "reject.example", OURS, None, True, ["spf"]),
    ("reject.example", "reject.example", OTHER, "reject.example", True, ["dkim"]),
    ("news.reject.example", "none.example", OURS, "reject.example", True, ["dkim"]),
    ("reject.example", "reject.example", OURS, "reject.example", True, ["spf", "dkim"]),
    ("strict.example", "news.strict.example", OURS, None, False, ["none"]),
    ("strict.example", "news.strict.example", OURS, "strict.example", True, ["dkim"]),
    ("news.strict.example", "none.example", OURS, "strict.example", False, ["none"]),
    ("reject.example", "none.example", OURS, None, False, ["none"]),
    ("reject.example", "none.example", OURS, "none.example", False, ["none"]),
    ("reject.example", "none.example", OURS, "strict.example", False, ["none"]),
])
def test_alignment(gateway, key, token, author, sender, source, signer, passes, aligned):
    program = gateway()
    text = message(token, sender=f"a@{author}")
    text = signed(text, key, signer) if signer else text
    assert send(program, source, f"a@{sender}", text).code == 250
    record = last_record(program)
    assert facts(record, "result") == ["pass" if passes else "fail"]
    assert facts(record, "aligned") == aligned
    assert facts(record, "from") == ["one"]
    fields = added(program)
    assert fields.startswith("Authentication-Results: mx.example.com;"), fields
    policy = "quarantine" if author.startswith("news.reject") else "reject"
    assert (f" dmarc={'pass' if passes else 'fail'} header.from={author.lower()} "
            f"policy.dmarc={policy}\r\n") in fields
    assert ("X-Postern-Verdict: tag" in fields) != passes
    assert program.to.mails[-1].raw.endswith(text)


@pytest.mark.parametrize("author, result, policy, disposition, is_tagged", [
    ("reject.example", "fail", ["reject"], ["quarantine"], True),
    ("news.reject.example", "fail", ["quarantine"], ["quarantine"], True),
    ("gone.reject.example", "fail", ["reject"], ["quarantine"], True),
    ("quarantine.example", "fail", ["quarantine"], ["quarantine"], True),
    ("testing.example", "fail", ["reject"], ["quarantine"], True),
    ("none.example", "fail", ["none"], ["none"], False),
    ("old.example", "none", [], [], False),
    ("nothing.example", "none", [], [], False),
])
def test_what_is_asked_for(gateway, token, author, result, policy, disposition, is_tagged):
    """Mail of others in their name: never refused for p=reject alone."""
    program = gateway()
    assert send(program, OURS, "a@strict.example", message(token, sender=f"a@{author}")).code == 250
    record = last_record(program)
    assert facts(record, "result") == [result]
    assert (facts(record, "policy"), facts(record, "disposition")) == (policy, disposition)
    assert facts(record, "testing") == ([] if not policy else
                                        ["yes" if author == "testing.example" else "no"])
    fields = added(program)
    assert ("X-Postern-Verdict: tag" in fields) == is_tagged, fields
    applied = {"testing.example": "quarantine"}.get(author, (policy or [None])[0])
    assert f"dmarc={result} header.from={author}" in fields
    assert ("policy.dmarc=" in fields) == bool(policy)
    assert not policy or f"policy.dmarc={applied}\r\n" in fields


def test_a_second_fact_refuses(gateway, key, token):
    """p=reject, SPF fails, too, and no signature: refused after the text, with the case."""
    program = gateway()
    text = message(token, sender="a@reject.example")
    for forged in (text, signed(text, key, "reject.example").replace(b"Hello", b"Hallo")):
        reply = send(program, OTHER, "a@reject.example", forged)
        assert (reply.code, reply.enhanced) == (550, "5.7.1")
        assert "DMARC" in reply.text and "case" in reply.text
    assert last_record(program)["verdict"]["rule"] == "dmarc-reject-spf"
    assert program.to.mails == []
    # A signature that is right, if of somebody else: a list, perhaps.
    assert send(program, OTHER, "a@reject.example", signed(text, key, "none.example")).code == 250
    assert "X-Postern-Verdict: tag" in added(program)
    # The owner is still trying it out, or asks for less.
    for author in ("testing.example", "quarantine.example"):
        assert send(program, OTHER, f"a@{author}", message(token, sender=f"a@{author}")).code == 250
        assert "X-Postern-Verdict: tag" in added(program)


def test_as_published(gateway, token):
    program = gateway({"enforce": "as_published"})
    reply = send(program, OURS, "a@none.example", message(token, sender="a@reject.example"))
    assert (reply.code, reply.enhanced) == (550, "5.7.1") and "DMARC" in reply.text
    record = last_record(program)
    assert facts(record, "disposition") == ["reject"]
    assert record["verdict"]["rule"] == "dmarc-enforced"
    for author, disposition in (("testing.example", "quarantine"), ("news.reject.example", "quarantine"),
                                ("none.example", "none")):
        text = message(token, sender=f"a@{author}")
        assert send(program, OURS, "a@strict.example", text).code == 250
        assert facts(last_record(program), "disposition") == [disposition]
    assert send(program, OURS, "a@none.example", message(token, sender="a@gone.reject.example")).code == 550


@pytest.mark.parametrize("enforce", ["with_evidence", "as_published"])
def test_forwarder(gateway, token, enforce):
    """A host that is known to forward breaks SPF, and is not blamed for it."""
    program = gateway({"enforce": enforce, "forwarders": [f"{FORWARDER}/32"]})
    text = message(token, sender="a@reject.example")
    assert send(program, FORWARDER, "a@reject.example", text).code == 250
    record = last_record(program)
    assert facts(record, "override") == ["forwarder"] and facts(record, "result") == ["fail"]
    assert "X-Postern-Verdict" not in added(program)
    assert send(program, OTHER, "a@reject.example", text).code == 550
    assert facts(last_record(program), "override") == ["none"]


@pytest.mark.parametrize("author, word, is_tagged", [
    ("a@none.example, b@reject.example", "many", True),
    ("a@none.example, b@none.example", "one", False),
    ("a@none.example\r\nFrom: b@reject.example", "refused", True),
    ("\"a@reject.example\" <a@none.example>", "one", False),
    ("a@reject.example <a@none.example>", "refused", True),
    ("friends:;", "none", False),
])
def test_authors(gateway, token, author, word, is_tagged):
    """What a reader could take for another author's is nobody's, and scored."""
    program = gateway()
    assert send(program, OURS, "a@none.example", message(token, sender=author)).code == 250
    record = last_record(program)
    assert facts(record, "from") == [word]
    assert facts(record, "result") == ["pass" if word == "one" else "none"]
    assert ("X-Postern-Verdict: tag" in added(program)) == is_tagged


@pytest.mark.seconds(90)
@pytest.mark.parametrize("options", [{}, {"enforce": "as_published"}])
def test_name_server_that_is_down(gateway, key, token, options):
    """It could not be found out: accepted, and said so."""
    program = gateway(options)
    text = message(token, sender="a@broken.example")
    assert send(program, OURS, "a@none.example", text).code == 250
    assert facts(last_record(program), "result") == ["error"]
    assert "dmarc=temperror header.from=broken.example\r\n" in added(program)
    assert "X-Postern-Verdict" not in added(program)
    # What passes for another domain does not need it.
    text = message(token, sender="a@none.example")
    assert send(program, OURS, "a@broken.example", signed(text, key, "none.example")).code == 250
    assert facts(last_record(program), "result") == ["pass"]


def test_users_who_log_in(start, resolver, token):
    backend = start.scripted(users={"alice": "secret"})
    port = free_port()
    program = start.postern({
        "filters": {"spf": {}, "dkim": {}, "dmarc": {"enforce": "as_published"}}, **SHIPPED,
        "listen": [{"address": f"127.0.0.1:{port}", "tls": "off", "auth_without_tls": True}]},
        backend=backend, dns=resolver, port=port)
    with connect(port, source=OTHER) as client:
        assert client.command("AUTH PLAIN AGFsaWNlAHNlY3JldA==").code == 235
        text = message(token, sender="a@reject.example")
        assert client.mail("a@reject.example", "c@example.com", text).code == 250
    assert facts(last_record(program), "result") == ["fail"]
    assert b"X-Postern-Verdict" not in backend.mails[-1].raw


def test_explain(gateway, key, token):
    program = gateway()
    path = program.folder / "message.eml"
    path.write_bytes(signed(message(token, sender="a@news.reject.example"), key, "reject.example"))
    words = ["--ip", OTHER, "--helo", "h.example.org", "--from", "a@reject.example", "--rcpt", "c@example.com"]
    status, out, error = program.command("explain", path, "--json", *words)
    assert (status, error) == (0, "")
    told = {fact["key"]: fact for fact in json.loads(out)["facts"] if fact["filter"] == "dmarc"}
    assert {key: fact["value"] for key, fact in told.items()} == {
        "from": "one", "result": "pass", "policy": "quarantine", "disposition": "none",
        "testing": "no", "aligned": "dkim", "override": "none"}
    assert told["result"]["about"] == {"domain": "news.reject.example", "policy": "quarantine"}
    assert told["policy"]["detail"] == "sp= of reject.example"
    assert told["policy"]["about"]["policy_domain"] == "reject.example"
    assert told["policy"]["about"]["np"] == "reject"
    status, out, error = program.command("explain", path, *words)
    assert (status, error) == (0, "") and "dmarc.disposition" in out


def test_delivery_auto(gateway, token):
    """What decides about a message is not streamed past the decision."""
    program = gateway({"enforce": "as_published"}, delivery="auto")
    assert send(program, OURS, "a@none.example", message(token, sender="a@reject.example")).code == 550
    assert program.to.mails == []
    assert send(program, OURS, "a@reject.example", message(token, sender="a@reject.example")).code == 250
    assert "dmarc=pass" in added(program)
