"""Who names recipients that do not exist: the tarpit, the harvest, what is remembered."""

import time

import pytest

from kit.process import wait_until
from kit.smtp import Smtp, message

UNKNOWN = b"550 5.1.1 <%s>: no such mailbox here\r\n"


@pytest.fixture
def office(start):
    return start.scripted({"rcpt": UNKNOWN % b"them"})


def recipient(postern, name, source=None, count=1):
    """The replies to `count` recipients, of one session."""
    with Smtp(postern.port, source=source) as client:
        client.greet()
        client.command("MAIL FROM:<a@example.org>")
        return [client.command(f"RCPT TO:<{name}{i or ''}@example.com>") for i in range(count)]


def asked(office):
    return sum(line.upper().startswith("RCPT") for line in office.lines)


def test_the_tarpit_slows_nobody_else(start, office):
    postern = start.postern({"limits": {"tarpit": "3s"}}, backend=office)
    with Smtp(postern.port, source="127.0.0.5") as slow, Smtp(postern.port) as other:
        for client in (slow, other):
            client.greet()
        begun = time.monotonic()
        slow.line("RUBBISH")
        for _ in range(50):
            assert other.command("NOOP").code == 250
        assert other.command("MAIL FROM:<a@example.org>").code == 250
        assert time.monotonic() - begun < 2
        assert slow.is_silent(0.5)
        assert slow.reply().code == 500
        assert 2.8 < time.monotonic() - begun < 6


def test_the_tarpit_is_left(start, office):
    """A client that goes away in it is noticed; postern ends in peace with one in it."""
    postern = start.postern({"limits": {"tarpit": "20s"}}, backend=office)
    with Smtp(postern.port) as client:
        client.greet()
        client.line("RUBBISH")
        client.reset()
    postern.wait_log(lambda line: line.get("event") == "session")
    waiting = Smtp(postern.port)
    waiting.greet()
    waiting.line("RUBBISH")
    time.sleep(0.2)
    begun = time.monotonic()
    postern.stop()
    assert time.monotonic() - begun < 10
    waiting.close()


def test_too_many_unknown_ones(start, office):
    postern = start.postern({"limits": {"unknown_recipients": 3}}, backend=office)
    with Smtp(postern.port) as client:
        client.greet()
        client.command("MAIL FROM:<a@example.org>")
        for i in range(3):
            assert client.command(f"RCPT TO:<x{i}@example.com>").code == 550
        last = client.reply()
        assert last.code == 421 and "unknown" in last.text
        assert client.is_ended()


def test_a_harvest_over_sessions_and_workers(start, office):
    rule = {"name": "harvest", "when": {"smtp.harvest": True}, "do": "reject", "speak": "at_once"}
    postern = start.postern({"limits": {"harvest": 6, "harvest_within": "1h"}, "workers": 4,
                             "policy": [rule]}, backend=office)
    for i in range(3):
        assert {reply.code for reply in recipient(postern, f"x{i}", "127.0.0.5", 2)} == {550}
    for _ in range(8):
        with Smtp(postern.port, source="127.0.0.5") as client:
            assert client.reply().code == 554
    with Smtp(postern.port, source="127.0.0.6") as client:
        assert client.reply().code == 220
    record = postern.wait_log(lambda line: line.get("point") == "connect")
    fact, = (fact for fact in record["facts"] if fact["key"] == "harvest")
    assert fact["value"] == "yes" and fact["detail"] == "6"


def test_an_unknown_one_is_remembered(start, office):
    """With the mail server's own words, by all workers, in the same and in other sessions."""
    postern = start.postern({"recipients": {"unknown": "2s"}, "workers": 3}, backend=office)
    first, = recipient(postern, "x")
    assert first.code == 550 and first.lines == ["5.1.1 <them>: no such mailbox here"]
    time.sleep(0.5)
    count = asked(office)
    for _ in range(10):
        again, = recipient(postern, "x")
        assert again.raw == first.raw
    assert asked(office) == count
    recipient(postern, "y")
    assert asked(office) == count + 1
    wait_until(lambda: recipient(postern, "x") and asked(office) > count + 1, 10, "it is forgotten")


def test_nothing_is_remembered_by_itself(start, office):
    postern = start.postern(backend=office)
    for _ in range(2):
        recipient(postern, "x")
        time.sleep(0.4)
    assert asked(office) == 2


@pytest.mark.parametrize("reply", [b"550 5.7.1 not from you\r\n", b"451 4.3.0 later\r\n",
                                   b"553 5.1.8 bad sender\r\n", b"552 5.2.2 full\r\n"])
def test_what_is_not_about_the_mailbox_is_not_remembered(start, office, reply):
    office.script["rcpt"] = reply
    postern = start.postern({"recipients": {"unknown": "1h"}}, backend=office)
    for _ in range(2):
        assert recipient(postern, "x")[0].raw == reply
        time.sleep(0.4)
    assert asked(office) == 2


def test_a_refused_sender_says_nothing_of_recipients(start, office):
    office.script["mail"] = b"550 5.1.1 who are you\r\n"
    postern = start.postern({"recipients": {"unknown": "1h"}}, backend=office)
    assert recipient(postern, "x")[0].code == 550
    time.sleep(0.4)
    del office.script["mail"]
    del office.script["rcpt"]
    assert recipient(postern, "x")[0].code == 250


def test_who_was_known_lately_is_asked_for_again(start, office):
    """The directory of the mail server is out of order for a moment."""
    postern = start.postern({"recipients": {"unknown": "1h", "remember": "1h"}}, backend=office)
    del office.script["rcpt"]
    assert recipient(postern, "x")[0].code == 250
    time.sleep(0.5)
    office.script["rcpt"] = UNKNOWN % b"x"
    assert recipient(postern, "x")[0].code == 550
    time.sleep(0.5)
    del office.script["rcpt"]
    assert recipient(postern, "x")[0].code == 250
    # And a known one is never taken without asking.
    office.script["rcpt"] = b"452 4.2.2 full\r\n"
    assert recipient(postern, "x")[0].code == 452


def test_a_mail_to_both(start, office, token):
    """Of a remembered one the mail server hears nothing; the other gets his mail."""
    postern = start.postern({"recipients": {"unknown": "1h"}}, backend=office)
    recipient(postern, "x")
    time.sleep(0.5)
    del office.script["rcpt"]
    office.lines.clear()
    with Smtp(postern.port) as client:
        client.greet()
        client.command("MAIL FROM:<a@example.org>")
        assert client.command("RCPT TO:<x@example.com>").code == 550
        assert client.command("RCPT TO:<c@example.com>").code == 250
        assert client.command("DATA").code == 354
        client.send(message(token))
        client.send(b".\r\n")
        assert client.reply().code == 250
    assert office.mails[-1].recipients == [b"TO:<c@example.com>"]
    assert asked(office) == 1
