"""The fixtures themselves: without postern, mail and questions reach the servers."""

import os
import ssl
import subprocess

import pytest

from kit.dns import ask
from kit.postern import to_yaml
from kit.process import free_port, is_listening
from kit.smtp import Smtp, message

ZONES = {
    "example.org": "@ A 192.0.2.1\n@ TXT \"v=spf1 -all\"\nmail A 198.51.100.5\n",
    "100.51.198.in-addr.arpa": "5 PTR mail.example.org.\n",
    "bl.test": "2.0.0.127 A 127.0.0.2\n",
}


def test_mail_to_postfix(backend, token):
    with Smtp(backend.port) as client:
        assert client.greet().code == 220
        assert "STARTTLS" in client.extensions and "PIPELINING" in client.extensions
        reply = client.mail("a@example.org", ["c@example.com", "d@example.com"],
                            message(token, ".dot\r\n..dots\r\nend"))
        assert reply.code == 250 and reply.enhanced == "2.0.0"
        assert client.quit().code == 221
    one, two = backend.inbox.wait(token, 2)
    assert one.body == two.body == b".dot\n..dots\nend\n"
    assert {one.header("Delivered-To"), two.header("Delivered-To")} == {
        "c@example.com", "d@example.com"}
    assert one.headers("X-Nothing") == []


def test_postfix_relays_for_nobody_else(backend):
    with Smtp(backend.port, source="127.0.0.77") as client:
        client.greet()
        client.envelope("a@example.org")
        # Loopback is among its networks, as it is behind postern in earnest.
        assert client.command("RCPT TO:<x@example.net>").code == 250
        assert "127.0.0.77" in backend.log_text()


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_starttls(start, authority, kind, token):
    pair = authority.issue("backend.example.com", "other.example.com", kind=kind)
    server = start.postfix(pair)
    for name in pair.names:
        with Smtp(server.port) as client:
            client.greet()
            client.starttls(authority, name)
            assert client.socket.version() == "TLSv1.3"
            assert "STARTTLS" not in client.extensions
            assert client.mail("a@example.org", "c@example.com", message(token)).code == 250
    server.inbox.wait(token, 2)


def test_certificate_is_checked(authority, backend):
    expired = authority.issue("mx.example.com", kind="ecdsa", days=-1)
    told = subprocess.run(["openssl", "x509", "-noout", "-checkend", "0", "-in", expired.cert])
    assert told.returncode == 1
    with Smtp(backend.port) as client:
        client.greet()
        assert client.command("STARTTLS").code == 220
        with pytest.raises(ssl.SSLCertVerificationError):
            client.tls(authority, "wrong.example.com")


def test_pipelined_slow_and_bdat(backend, token):
    with Smtp(backend.port) as client:
        client.greet()
        replies = client.commands("MAIL FROM:<a@example.org>", "RCPT TO:<c@example.com>")
        assert [reply.code for reply in replies] == [250, 250]
        text = message(token, "in pieces")
        assert [reply.code for reply in client.bdat(text[:10], text[10:40], text[40:])] == [250] * 3
        client.send_slowly("NOOP\r\nRSET\r\n")
        assert [client.reply().code, client.reply().code] == [250, 250]
        assert client.is_silent(0.05)
        client.line("QUIT")
        assert client.reply().code == 221
        assert client.is_ended()
    assert backend.inbox.wait(token)[0].body == b"in pieces\n"


def test_settings_of_postfix(start, token):
    server = start.postfix(settings={"virtual_transport": "discard:", "smtpd_timeout": "1s"})
    with Smtp(server.port) as client:
        client.greet()
        assert client.mail("a@example.org", "c@example.com", message(token)).code == 250
        assert client.reply().code == 421
        assert client.is_ended()
    assert server.inbox.stays_without(token, 0.1)


def test_proxy_header_to_postfix(backend):
    with Smtp(backend.proxy_port) as client:
        client.send("PROXY TCP4 198.51.100.5 192.0.2.1 5000 25\r\n")
        assert client.greet().code == 220
        client.command("MAIL FROM:<a@example.org>")
    assert "connect from unknown[198.51.100.5]" in backend.log_text()


def test_mail_to_exim(start_module, authority, token):
    server = start_module.exim()
    with Smtp(server.port) as client:
        client.greet()
        assert {"CHUNKING", "PRDR", "SMTPUTF8", "STARTTLS"} <= set(client.extensions)
        client.starttls(authority, "backend.example.com")
        assert client.mail("a@example.org", "x@example.net", message(token)).code == 550
        client.command("RSET")
        assert client.mail("a@example.org", "c@example.com", message(token)).code == 250
        client.quit()
    assert server.inbox.wait(token)[0].body == b"Hello.\n"


def test_names(start_module):
    nsd = start_module.nsd(ZONES)
    unbound = start_module.unbound(nsd)
    for port in (nsd.port, unbound.port):
        assert ask(port, "mail.example.org") == (0, ["198.51.100.5"])
        assert ask(port, "example.org", "TXT") == (0, ["v=spf1 -all"])
        assert ask(port, "2.0.0.127.bl.test") == (0, ["127.0.0.2"])
        assert ask(port, "nothing.example.org") == (3, [])
        assert ask(port, "mail.example.org", "AAAA") == (0, [])
        rcode, answers = ask(port, "5.100.51.198.in-addr.arpa", "PTR")
        assert rcode == 0 and len(answers) == 1
        assert ask(port, "elsewhere.example.net")[0] == 3
    nsd.change({**ZONES, "new.test": "@ A 192.0.2.9\n"})
    assert ask(nsd.port, "new.test") == (0, ["192.0.2.9"])


def test_servers_end(root, certificate, start):
    server = start.postfix()
    pid, port = server.pid, server.port
    assert is_listening(port)
    start.stop()
    assert not is_listening(port)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_ports_differ():
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50


def test_yaml():
    assert to_yaml({
        "a": 1, "b": True, "c": [], "d": {}, "tls": "off", "e": ["*:25", "x y"],
        "f": [{"g": "1", "h": {"i": "c@example.com"}}],
    }) == (
        'a: 1\nb: yes\nc: []\nd: {}\ntls: off\ne:\n  - "*:25"\n  - "x y"\n'
        'f:\n  -\n    g: "1"\n    h:\n      i: "c@example.com"\n')


def test_vectors_are_found_or_skipped(vectors):
    assert any(vectors.iterdir())
