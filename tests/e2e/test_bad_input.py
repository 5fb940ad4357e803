"""Clients that behave badly: a clear answer, nothing accepted that was not, nobody else disturbed."""

import contextlib
import socket
import time

import pytest

from kit.postern import fronts
from kit.process import wait_until
from kit.smtp import Smtp, connect, message

SHORT = {"command": "2s", "data": "2s", "tls": "1s", "data_block": "2s"}


@pytest.fixture(scope="module")
def place(start_module, certificate):
    """(backend, ports, program) for tests that need nothing special."""
    backend = start_module.scripted(certificate=certificate)
    ports, configuration = fronts(certificate)
    program = start_module.postern(
        {**configuration, "timeouts": SHORT, "limits": {"errors": 5, "sessions_per_client": 100},
         "workers": 1}, backend=backend)
    return backend, ports, program


@pytest.fixture(autouse=True)
def others_go_on(request):
    """Another session, open all the time in the only worker, delivers when the test is over."""
    if "place" not in request.fixturenames:
        yield
        return
    backend, ports, program = request.getfixturevalue("place")
    before = len(backend.mails)
    with connect(ports["plain"], source="127.0.0.9") as other:
        yield
        assert len(backend.accepted()) == before, "a message was accepted that was none"
        reply = other.command("NOOP")
        if reply.code == 421:  # it was idle for too long
            other = connect(ports["plain"], source="127.0.0.9")
        assert other.mail("a@example.org", "c@example.com", message("x")).code == 250
    worker, = program.children()
    assert len(backend.accepted()) == before + 1


# Commands

COMMANDS = {
    "FOO": "500", "": "500", "EHLO": "501", "HELO a b": "501", "MAIL": "501", "MAIL FROM:": "501",
    "MAIL FROM:a@example.org": "250 501", "MAIL FROM:<a@example.org> FOO=1": "555",
    "MAIL FROM:<a@example.org> SIZE=x": "501", "RCPT TO:<c@example.com>": "503", "DATA": "503",
    "DATA x": "503", "BDAT 0 LAST": "500 502 503", "STARTTLS x": "501", "AUTH PLAIN": "502 504 538 530",
    "QUIT now": "501", "RSET x": "501", "NOOP x": "250", "VRFY c": "252", "EXPN c": "500 502",
    "HELP": "214", "GET / HTTP/1.1": "500", "\x16\x03\x01\x02": "500", "MAIL FROM:<a\0b@example.org>": "500 501",
    "MAIL FROM:<\xe4@example.org>": "500 501 553", "NOOP\rNOOP": "500 501", "N" * 600: "500",
    "NOOP " + "x" * 5000: "500", "TURN": "500 502", "ETRN x": "500 502", "LHLO x": "500",
    "ehlo x": "250", "mail from:<>": "250",
}


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: repr(line)[1:25])
def test_commands(place, line):
    _, ports, _ = place
    with connect(ports["plain"]) as client:
        reply = client.command(line.encode("latin-1"))
        assert str(reply.code) in COMMANDS[line].split(), reply
        if reply.enhanced:
            assert reply.enhanced[0] == str(reply.code)[0]
        assert client.command("NOOP").code == 250


@pytest.mark.parametrize("size", [5000, 20_000, 1_000_000])
def test_long_line(place, size):
    _, ports, _ = place
    with connect(ports["plain"]) as client:
        reply = client.command(b"NOOP " + b"x" * size)
        assert reply.code == 500
        assert client.command("NOOP").code == 250


def test_line_without_end(place):
    """Nothing but octets: no memory is needed, and the time for a command passes."""
    _, ports, _ = place
    with connect(ports["plain"]) as client:
        with contextlib.suppress(OSError):
            for _ in range(60):
                client.send(b"x" * 10_000)
                time.sleep(0.05)
        assert client.reply().code in (421, 500)


def test_bare_newline_is_no_line_end(place):
    _, ports, _ = place
    with connect(ports["plain"]) as client:
        client.send("NOOP\nMAIL FROM:<a@example.org>\r\n")
        assert client.reply().code in (500, 501)
        assert client.command("RCPT TO:<c@example.com>").code == 503


def test_too_many_errors(place):
    _, ports, program = place
    with connect(ports["plain"]) as client:
        replies = client.commands(*["FOO"] * 5)
        assert [reply.code for reply in replies] == [500] * 5
        assert client.reply().code == 421 and client.is_ended()


def test_much_rubbish(place):
    _, ports, _ = place
    rubbish = bytes(range(256)) * 400
    with connect(ports["plain"]) as client:
        with contextlib.suppress(OSError):
            client.send(rubbish)
            while client.reply().code == 500:
                pass
        with contextlib.suppress(EOFError, OSError):
            client.reply()


# Before the greeting, and around TLS

def test_early_talker(start):
    backend = start.scripted()
    program = start.postern({
        "greet_delay": "1s",
        "policy": [{"name": "early", "when": {"smtp.early_talker": "yes"}, "do": "reject"}],
    }, backend=backend)
    with Smtp(program.port) as client:
        client.send("EHLO client.example.org\r\n")
        assert client.reply().code == 220 and client.reply().code == 250
        reply = client.envelope("a@example.org", "c@example.com")[-1]
        assert reply.code == 550
    began = time.monotonic()
    with connect(program.port) as client:
        assert time.monotonic() - began >= 0.9
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
    assert len(backend.mails) == 1


def test_injected_before_the_handshake(place):
    _, ports, _ = place
    with connect(ports["starttls"]) as client:
        client.send("STARTTLS\r\nMAIL FROM:<inj@example.org>\r\nRCPT TO:<c@example.com>\r\n")
        assert client.reply().code == 220
        client.tls()
        assert client.is_silent()
        assert client.command("RCPT TO:<c@example.com>").code == 503
        assert client.ehlo().code == 250


@pytest.mark.parametrize("front", ["starttls", "implicit"])
@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x00\x05abcde", b"EHLO x\r\n" * 20,
                                  b"\x16\x03\x01\x02\x00\x01"], ids=["none", "record", "text", "part"])
def test_handshake_that_fails_or_stalls(place, front, said):
    _, ports, _ = place
    with Smtp(ports[front]) as client:
        if front == "starttls":
            client.greet()
            assert client.command("STARTTLS").code == 220
        client.send(said)
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while client.socket.recv(4096):
                pass
        assert time.monotonic() - began < 5


# Clients that vanish

TEXT = message("x") + b"a line\r\n" * 20_000

STEPS = {
    "connection": lambda client: None,
    "greeting": lambda client: client.reply(),
    "EHLO": lambda client: client.ehlo(),
    "MAIL": lambda client: client.command("MAIL FROM:<a@example.org>"),
    "RCPT": lambda client: client.command("RCPT TO:<c@example.com>"),
    "RCPT unheard": lambda client: client.line("RCPT TO:<d@example.com>"),
    "DATA": lambda client: client.commands("NOOP", "DATA"),
    "text": lambda client: client.send(TEXT),
    "half of the end": lambda client: client.send(b".\r"),
}


@pytest.mark.parametrize("delivery", ["hold", "stream"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_vanishing(start, delivery, how):
    backend = start.scripted()
    program = start.postern({"delivery": delivery}, backend=backend)
    for last in STEPS:
        client = Smtp(program.port)
        for step, act in STEPS.items():
            if step == "DATA" and last != "RCPT unheard":
                client.reply()  # to the recipient before
            act(client)
            if step == last:
                break
        getattr(client, how)()
        time.sleep(0.05)
        assert backend.mails == [], last
    # After the end a vanished client's message may be there or not, whole and once.
    for _ in range(10):
        before = len(backend.mails)
        with connect(program.port) as client:
            client.envelope("a@example.org", "c@example.com")
            client.command("DATA")
            client.send(TEXT + b".\r\n")
            getattr(client, how)()
        time.sleep(0.05)
        assert len(backend.mails) - before in (0, 1)
    with connect(program.port) as client:
        assert client.mail("a@example.org", "c@example.com", TEXT).code == 250
    assert {mail.message for mail in backend.mails} == {TEXT}


def test_client_that_never_reads(place):
    """Its replies pile up to a limit; then it is broken off."""
    _, ports, program = place
    with connect(ports["plain"]) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.socket.settimeout(5)
        with pytest.raises(OSError):
            for _ in range(200):
                client.send(b"HELP\r\n" * 10_000)


def test_half_closed(place):
    """A client that ends its side still hears the answers to what it has said."""
    _, ports, _ = place
    with connect(ports["plain"]) as client:
        client.send("NOOP\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<c@example.com>\r\n")
        client.finish()
        assert [client.reply().code for _ in range(3)] == [250] * 3
        assert client.is_ended()


# Limits

def test_idle(place):
    _, ports, _ = place
    with connect(ports["plain"]) as client:
        began = time.monotonic()
        assert client.reply().code == 421 and client.is_ended()
        assert 1.5 < time.monotonic() - began < 5


def test_idle_in_the_text(place):
    _, ports, _ = place
    with connect(ports["plain"]) as client:
        client.envelope("a@example.org", "c@example.com")
        client.command("DATA")
        client.send("Subject: x\r\n")
        assert client.reply().code == 421 and client.is_ended()


def test_slow_drip_of_a_command(place):
    """A byte now and then does not stretch the time for a command."""
    _, ports, _ = place
    with connect(ports["plain"]) as client:
        with contextlib.suppress(OSError):
            client.send_slowly("NOOP" * 8, 0.1)
        assert client.reply().code == 421


def test_sessions_per_client(start):
    program = start.postern({"limits": {"sessions_per_client": 3}}, backend=start.scripted())
    clients = [connect(program.port) for _ in range(3)]
    with Smtp(program.port) as fourth:
        reply = fourth.reply()
        assert reply.code == 421 and reply.enhanced == "4.7.0" and fourth.is_ended()
    connect(program.port, source="127.0.0.9").quit()
    clients.pop().quit()
    wait_until(lambda: _greeting(program.port) == 220)
    for client in clients:
        assert client.quit().code == 221


def _greeting(port):
    with Smtp(port) as client:
        return client.reply().code


def test_sessions(start):
    program = start.postern({"limits": {"sessions": 4}}, backend=start.scripted())
    clients = [connect(program.port, source=f"127.0.0.{n}") for n in range(2, 6)]
    assert _greeting(program.port) == 421
    clients.pop().quit()
    wait_until(lambda: _greeting(program.port) == 220)


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_message_size(start, delivery):
    backend = start.scripted()
    program = start.postern({"limits": {"message_size": 10_000}, "delivery": delivery},
                            backend=backend)
    with connect(program.port) as client:
        assert client.extensions["SIZE"] == "10000"
        assert client.command("MAIL FROM:<a@example.org> SIZE=10001").code == 552
        small, large = (message("x") + b"z" * 9800, message("x") + b"z" * 10_000)
        assert client.mail("a@example.org", "c@example.com", large).code == 552
        assert client.mail("a@example.org", "c@example.com", small).code == 250
    assert [mail.message for mail in backend.mails] == [small + b"\r\n"]
    record = program.wait_log(lambda line: line.get("reply", "").startswith("552"))
    assert record["verdict"]["action"] == "reject" and record["body"]["out"] is None


def test_header_size(start):
    backend = start.scripted()
    program = start.postern({"limits": {"header_size": "4K"}}, backend=backend)
    with connect(program.port) as client:
        reply = client.mail("a@example.org", "c@example.com",
                            b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"\r\nz\r\n")
        assert reply.code in (552, 554)
        assert client.mail("a@example.org", "c@example.com", b"a: b\r\n\r\n" + b"z: y\r\n" * 9999
                           ).code == 250
    assert len(backend.mails) == 1


def test_recipients(start):
    backend = start.scripted()
    program = start.postern({"limits": {"recipients": 100}}, backend=backend)
    with connect(program.port) as client:
        replies = client.envelope("a@example.org", *(f"c{n}@example.com" for n in range(102)))
        assert [reply.code for reply in replies] == [250] * 101 + [452] * 2
        assert replies[-1].enhanced == "4.5.3"
        assert client.data(message("x")).code == 250
    assert len(backend.mails[0].recipients) == 100


def test_refusals(start):
    program = start.postern({"limits": {"refusals": 5}}, backend=start.scripted())
    with connect(program.port) as client:
        client.command("MAIL FROM:<a@example.org>")
        for _ in range(5):
            assert client.command("RCPT TO:<x@example.net>").code == 550
        assert client.reply().code == 421 and client.is_ended()


def test_messages(start):
    backend = start.scripted()
    program = start.postern({"limits": {"messages": 2}}, backend=backend)
    with connect(program.port) as client:
        for _ in range(2):
            assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
        assert client.command("MAIL FROM:<a@example.org>").code == 421 and client.is_ended()


def test_no_room_for_a_held_message(start):
    """The disk is full: 452, and the session goes on."""
    backend = start.scripted()
    program = start.postern({"limits": {"memory": "4K"}, "spool_dir": "/proc"}, backend=backend)
    with connect(program.port) as client:
        reply = client.mail("a@example.org", "c@example.com", message("x") + b"z\r\n" * 9999)
        assert reply.code in (451, 452)
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
    assert len(backend.mails) == 1
