"""A client may take its time; the backend's patience is not its own."""

import time

import pytest

from kit.smtp import connect, message

SECONDS = 6
SIZE = 20 * 1024 * 1024


def send_over_time(client, text, seconds=SECONDS, pieces=30):
    client.line("DATA")
    assert client.reply().code == 354
    size = len(text) // pieces + 1
    for start in range(0, len(text), size):
        client.send(text[start:start + size])
        time.sleep(seconds / pieces)
    client.send(b".\r\n")
    return client.reply()


def big(token):
    return message(token) + (b"z" * 98 + b"\r\n") * (SIZE // 100)


def test_longer_than_postfix_waits(start, token):
    """Held: the session with the backend has ended long before, and is opened anew."""
    backend = start.postfix(settings={"smtpd_timeout": "2s"})
    program = start.postern(backend=backend)
    text = big(token)
    with connect(program.port) as client:
        client.envelope("a@example.org", "c@example.com", "d@example.com")
        assert send_over_time(client, text).code == 250
        client.quit()
    copies = backend.inbox.wait(token, 2)
    time.sleep(0.3)
    assert len(backend.inbox.messages(token.encode())) == 2
    assert all(copy.raw.endswith(text.replace(b"\r\n", b"\n")) for copy in copies)
    log = backend.log_text()
    assert "timeout after RCPT from" in log and log.count("message-id=<" + token) == 1


def test_backend_that_changes_its_mind(start):
    """Said anew, the envelope gets another answer: the client hears 451, nobody gets the message."""
    backend = start.scripted(idle=1)
    program = start.postern(backend=backend)
    with connect(program.port) as client:
        client.envelope("a@example.org", "c@example.com")
        backend.script = {"rcpt": b"550 5.1.1 not any more\r\n"}
        reply = send_over_time(client, message("x"), 2, 2)
        assert reply.code == 451 and reply.enhanced.startswith("4.")
        assert backend.mails == []
        backend.script = {}
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
    assert len(backend.mails) == 1


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_slow_to_the_dot(start, delivery):
    """Less than the backend's patience between two pieces: fine with both."""
    backend = start.scripted(idle=2)
    program = start.postern({"delivery": delivery}, backend=backend)
    text = message("x") + b"a line\r\n" * 40
    with connect(program.port) as client:
        client.envelope("a@example.org", "c@example.com")
        assert send_over_time(client, text, 3, 20).code == 250
    assert [mail.message for mail in backend.mails] == [text]


def test_streamed_text_that_stops_is_given_up(start):
    """Streamed, the backend's patience is all there is: 451, and nothing was delivered."""
    backend = start.scripted(idle=1)
    program = start.postern({"delivery": "stream"}, backend=backend)
    with connect(program.port) as client:
        client.envelope("a@example.org", "c@example.com")
        assert send_over_time(client, message("x") + b"y\r\n" * 10, 3, 2).code == 451
    assert backend.accepted() == []
