"""The client's name: ptr, with real name servers; clients have addresses of the documentation."""

import pytest

from kit.namespace import network
from kit.process import free_port
from kit.smtp import Smtp, connect, message

ZONES = {
    "example.org": "mail A 198.51.100.5\ndsl-7 A 198.51.100.7\nliar A 192.0.2.1\n"
                   "two A 198.51.100.8\n",
    "100.51.198.in-addr.arpa": "5 PTR mail.example.org.\n6 PTR liar.example.org.\n"
                               "7 PTR dsl-7.example.org.\n8 PTR liar.example.org.\n"
                               "8 PTR two.example.org.\n",
}
POLICY = [
    {"name": "no-name", "when": {"ptr": "none"}, "do": "defer",
     "text": "4.7.25 {client} has no name, {helo}"},
    {"name": "liar", "when": {"ptr": "mismatch"}, "do": "reject", "text": "5.7.25 {client}: {name}"},
    {"name": "generic", "when": {"ptr": "generic"}, "do": "reject", "text": "{name} is a line"},
    {"name": "dns-down", "when": {"ptr": "error"}, "do": "defer"},
]


@pytest.fixture(scope="module", autouse=True)
def place():
    with network("198.51.100.0/24"):
        yield


@pytest.fixture(scope="module")
def resolver(place, start_module):
    return start_module.unbound(start_module.nsd(ZONES))


CLIENTS = {
    "198.51.100.5": ("pass", 250, "mail.example.org", ""),
    "198.51.100.8": ("pass", 250, "two.example.org", ""),
    "198.51.100.9": ("none", 451, None, "4.7.25 198.51.100.9 has no name, client.example.org"),
    "198.51.100.6": ("mismatch", 550, None, "5.7.25 198.51.100.6: "),
    "198.51.100.7": ("generic", 550, "dsl-7.example.org", "5.7.1 dsl-7.example.org is a line"),
}


@pytest.mark.parametrize("address", CLIENTS)
def test_names(start, resolver, address):
    value, code, name, text = CLIENTS[address]
    backend = start.scripted()
    program = start.postern({"filters": {"ptr": {"generic": ["^dsl-"]}}, "policy": POLICY},
                            backend=backend, dns=resolver)
    with connect(program.port, source=address) as client:
        reply = client.mail("a@example.org", "c@example.com", message("x"))
        assert reply.code == code and reply.text.startswith(text)
    record = program.wait_log(lambda line: "case" in line)
    fact = next(fact for fact in record["facts"] if fact["filter"] == "ptr")
    assert fact["value"] == value and fact["ms"] > 0
    assert record["client"]["ip"] == address and record["client"]["name"] == name
    assert record["verdict"]["action"] == {250: "accept", 451: "defer", 550: "reject"}[code]
    if code == 250:
        assert f"({name} [{address}])".encode() in backend.mails[0].raw
    else:
        assert f"(case {record['case']})" in reply.text and record["reply"] == f"{code} {reply.text}"


def test_name_server_that_is_down(start):
    """Not found out is neither good nor bad: the client may come again."""
    program = start.postern({"filters": {"ptr": {}}, "policy": POLICY, "dns": {
        "servers": [f"127.0.0.1:{free_port()}"], "timeout": "300ms"}}, backend=start.scripted())
    with connect(program.port, source="198.51.100.5") as client:
        assert client.envelope("a@example.org", "c@example.com")[-1].code == 451
    record = program.wait_log(lambda line: "case" in line)
    assert record["verdict"]["rule"] == "dns-down"


def test_refused_at_once(start, resolver):
    rules = [{**rule, "speak": "at_once"} if rule["name"] == "liar" else rule for rule in POLICY]
    backend = start.scripted()
    program = start.postern({"filters": {"ptr": {}}, "policy": rules}, backend=backend, dns=resolver)
    with Smtp(program.port, source="198.51.100.6") as client:
        reply = client.reply()
        assert reply.code == 554 and reply.enhanced == "5.7.25" and client.is_ended()
    record = program.wait_log(lambda line: "case" in line)
    assert record["point"] == "connect" and record["recipients"] == [] and record["from"] is None
    with connect(program.port, source="198.51.100.5") as client:
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250


def test_allow_list_does_not_wait_for_names(start):
    """A rule before the one that waits may speak: no name server is there at all."""
    program = start.postern({
        "filters": {"ptr": {}, "ip_list": {"allow": ["198.51.100.0/24"]}},
        "policy": [{"name": "friend", "when": {"ip_list": "allow"}, "do": "accept"}, *POLICY],
        "dns": {"servers": [f"127.0.0.1:{free_port()}"], "timeout": "30s"}}, backend=start.scripted())
    with connect(program.port, source="198.51.100.5", timeout=5) as client:
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
