"""Backends that refuse, close, stall or talk nonsense at any point: the client may come again."""

import time

import pytest

from kit.process import free_port, wait_until
from kit.scripted import CLOSE, READ, RESET, STALL
from kit.smtp import connect, message

SHORT = {word: "600ms" for word in (
    "greeting", "connect", "envelope", "data_start", "data_block", "data_end", "tls")}
POINTS = ["connect", "ehlo", "mail", "rcpt", "data", "text", "dot"]
HOW = {
    "close": CLOSE, "reset": RESET, "stall": STALL, "garbage": b"\0\xff what?\r\n" * 3,
    "endless": b"250-x\r\n" * 100_000, "no-line": b"2" * 100_000, "421": b"421 4.3.2 closing\r\n",
    "451": b"451 4.3.0 not now\r\n", "half": (b"250 2.0", CLOSE),
}


@pytest.mark.parametrize("delivery", ["hold", "stream"])
@pytest.mark.parametrize("point", POINTS)
def test_faults(start, point, delivery):
    backend = start.scripted()
    program = start.postern({"delivery": delivery, "timeouts": SHORT,
                             "backend": {"servers": [f"127.0.0.1:{backend.port}"], "tls": "off",
                                         "retry": "0s"}})
    # Long where the backend speaks in the middle of it, so that the end is not on its way already.
    text = message("x") + b"a line\r\n" * (1_000_000 if point == "text" else 20_000)
    with connect(program.port) as client:
        assert client.mail("a@example.org", "c@example.com", text).code == 250
    assert [mail.message for mail in backend.mails] == [text]
    for name, action in HOW.items():
        backend.mails.clear()
        backend.script = {point: action}
        with connect(program.port) as client:
            reply = client.mail("a@example.org", "c@example.com", text)
            assert 400 <= reply.code <= 499, (name, reply)
            assert reply.code != 421 and reply.enhanced.startswith("4."), (name, reply)
            assert client.command("NOOP").code == 250, name
        assert backend.accepted() == [], name
    backend.script = {}
    with connect(program.port) as client:
        assert client.mail("a@example.org", "c@example.com", text).code == 250
    assert len(backend.accepted()) == 1


@pytest.mark.parametrize("delivery", ["hold", "stream"])
@pytest.mark.parametrize("point", ["mail", "rcpt", "data", "dot"])
def test_refusals_are_passed_on(start, point, delivery):
    backend = start.scripted({point: b"550-5.1.1 no such\r\n550 5.1.1 user here\r\n"})
    program = start.postern({"delivery": delivery}, backend=backend)
    with connect(program.port) as client:
        reply = client.mail("a@example.org", "c@example.com", message("x"))
        assert reply.raw == b"550-5.1.1 no such\r\n550 5.1.1 user here\r\n"
        client.command("RSET")
        backend.script = {}
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
    assert len(backend.accepted()) == 1


def test_one_of_two_recipients(start):
    backend = start.scripted({"rcpt": b"550 5.1.1 no such user\r\n"})
    program = start.postern(backend=backend)
    with connect(program.port) as client:
        assert client.envelope("a@example.org", "c@example.com")[-1].code == 550
        backend.script = {}
        assert client.command("RCPT TO:<d@example.com>").code == 250
        assert client.data(message("x")).code == 250
    assert backend.mails[0].recipients == [b"TO:<d@example.com>"]


def test_answer_before_the_end_is_not_believed(start):
    """250 in the middle of the text is not the answer to it."""
    backend = start.scripted({"text": (b"250 2.0.0 already\r\n", READ, READ, READ)})
    program = start.postern({"delivery": "stream"}, backend=backend)
    with connect(program.port) as client:
        client.envelope("a@example.org", "c@example.com")
        assert client.command("DATA").code == 354
        client.send(message("x"))
        time.sleep(0.3)
        client.send(b"more\r\n.\r\n")
        assert client.reply().code == 451
    assert backend.accepted() == []


def test_refusal_in_the_middle_of_the_text(start):
    """It is what the client hears, when its text is over."""
    backend = start.scripted({"text": (b"552 5.3.4 too much\r\n", STALL)})
    program = start.postern({"delivery": "stream"}, backend=backend)
    with connect(program.port) as client:
        client.envelope("a@example.org", "c@example.com")
        assert client.command("DATA").code == 354
        client.send((message("x") + b"z\r\n" * 1_000_000) + b".\r\n")
        reply = client.reply()
        assert reply.code == 552 and "too much" in reply.text
        assert client.command("NOOP").code == 250


@pytest.mark.parametrize("dead", ["refused", "stalls", "closes"])
def test_second_server(start, dead):
    second = start.scripted()
    first = start.scripted({"connect": {"stalls": STALL, "closes": CLOSE}.get(dead, b"220 x\r\n")})
    if dead == "refused":
        first.stop()
    program = start.postern({
        "timeouts": {"greeting": "1s"},
        "backend": {"servers": [f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"],
                    "retry": "2s"}})
    for _ in range(2):
        with connect(program.port) as client:
            assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
    assert len(second.mails) == 2
    # Passed over for a while, then it is the first one again.
    first.script = {}
    if dead == "refused":
        first = start.scripted(port=first.port)
    time.sleep(2.1)
    with connect(program.port) as client:
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
    assert len(first.mails) == 1


def test_no_server_at_all(start):
    port = free_port()
    program = start.postern({"backend": {"servers": [f"127.0.0.1:{port}"], "retry": "1s"}})
    with connect(program.port) as client:
        reply = client.envelope("a@example.org", "c@example.com")[-1]
        assert reply.code == 451 and reply.enhanced == "4.4.1"
        assert client.command("DATA").code == 554
    start.scripted(port=port)

    def is_delivered():
        with connect(program.port) as client:
            return client.mail("a@example.org", "c@example.com", message("x")).code == 250
    wait_until(is_delivered)


def test_server_by_name(start_module, start):
    nsd = start_module.nsd({"corp.test": "exchange A 127.0.0.1\nnothing TXT x\n"})
    backend = start.scripted()
    for host, code in (("exchange.corp.test", 250), ("nothing.corp.test", 451), ("no.corp.test", 451)):
        program = start.postern({"backend": {"servers": [f"{host}:{backend.port}"]},
                                 "dns": {"servers": [f"127.0.0.1:{nsd.port}"]}})
        with connect(program.port) as client:
            assert client.mail("a@example.org", "c@example.com", message("x")).code == code


def test_what_it_cannot_do_is_not_announced(start):
    backend = start.scripted(extensions=["PIPELINING", "X-STRANGE", "SIZE 5000", "XCLIENT NAME",
                                         "VRFY", "ETRN"])
    program = start.postern(backend=backend)
    with connect(program.port) as client:
        assert set(client.extensions) == {"PIPELINING", "SIZE"}
        assert client.extensions["SIZE"] == "5000"
        assert client.command("MAIL FROM:<a@example.org> BODY=8BITMIME").code == 555
        assert client.command("MAIL FROM:<a@example.org> SIZE=5001").code == 552


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_answer_in_the_middle_of_a_long_text(start, delivery):
    """
    The backend says 250 while it takes in the text as fast as it comes, and 550 at its end: the first is no
    answer to the message, for else it would be lost.
    """
    backend = start.scripted({"text": b"250 2.0.0 already\r\n", "dot": b"550 5.6.0 not this\r\n"})
    program = start.postern({"delivery": delivery, "workers": 1}, backend=backend)
    with connect(program.port) as client:
        for _ in range(5):
            reply = client.mail("a@example.org", "c@example.com", message("x") + b"a line\r\n" * 1_000_000)
            assert reply.code == 451, reply
            assert client.command("RSET").code == 250
