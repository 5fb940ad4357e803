"""What a client calls itself, with names in a real name server, over two EHLOs of one session."""

import re

import pytest

from kit.smtp import Smtp

ZONE = """\
addressed A 198.51.100.7
six AAAA 2001:db8::7
mailed MX 10 addressed
refusing MX 0 .
text TXT "nothing else"
"""

HELLOS = {
    "addressed.example.org": "ok", "six.example.org": "ok", "mailed.example.org": "ok",
    "refusing.example.org": "unknown_name", "text.example.org": "unknown_name",
    "nothing.example.org": "unknown_name", "MX.example.com": "own_name",
    "host.ours.example.net": "own_name", "[127.0.0.1]": "ok", "[127.0.0.2]": "literal_mismatch",
    "127.0.0.1": "bare_ip", "[127.0.0.1": "invalid", "a..b": "invalid", "localhost": "unknown_name",
    "x.broken.test": "error",
}


@pytest.fixture(scope="module")
def postern(start_module):
    names = start_module.nsd({"example.org": ZONE, "broken.test": "@ A 127.0.0.1\nx CNAME x"})
    words = ["ok", "own_name", "bare_ip", "invalid", "literal_mismatch", "unknown_name", "error"]
    return start_module.postern({
        "filters": {"helo": {"own": [".ours.example.net"]}},
        "policy": [{"name": "known", "when": {"helo": words}, "do": "reject"}]}, dns=names)


def result_of(postern, client, name):
    assert client.command(f"EHLO {name}").code == 250
    reply = client.envelope("a@example.org", "c@example.com")[-1]
    case = re.search(r"\(case (\w+)\)$", reply.text)[1]
    record = postern.wait_log(lambda line: line.get("case") == case)
    return [fact["value"] for fact in record["facts"] if fact["filter"] == "helo"]


@pytest.mark.parametrize("name", HELLOS)
def test_name(postern, name):
    with Smtp(postern.port) as client:
        client.reply()
        assert result_of(postern, client, name) == [HELLOS[name]]


def test_the_last_one_counts(postern):
    with Smtp(postern.port) as client:
        client.reply()
        for name in ("127.0.0.1", "addressed.example.org", "localhost", "addressed.example.org"):
            assert result_of(postern, client, name) == [HELLOS[name]]
