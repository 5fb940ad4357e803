"""The sink: a small mail server that keeps what it gets."""

import hashlib
import os
import signal
import subprocess

import pytest

from kit.postern import program
from kit.process import free_port
from kit.smtp import Smtp, message

BEGIN = "MAIL FROM:<a@example.org>", "RCPT TO:<c@example.com>", "DATA"


@pytest.fixture(scope="module")
def sink(start_module, certificate):
    return start_module.sink(certificate)


def connect(server):
    client = Smtp(server.port)
    assert client.greet().code == 220
    return client


def temporary(server):
    return list((server.inbox.path / "tmp").iterdir())


def test_keeps_byte_for_byte(sink, token):
    text = message(token, "..two dots\r\n.\r\n.one\r\nbare \n lf, bare \r cr, nul \0, \xff end\r\n.\r")
    before = len(sink.kept())
    with connect(sink) as client:
        reply = client.mail("a@example.org", ["c@example.com", "d@example.com"], text)
        assert reply.code == 250 and reply.enhanced == "2.0.0"
        (one,) = sink.inbox.messages(token.encode())
        assert one.raw == text
        assert one.path.parent.name == "new" and one.path.name in reply.text
        assert one.path.stat().st_mode & 0o777 == 0o600
        assert client.quit().code == 221
    assert sink.wait_kept(before + 1)[before] == (
        one.path.name, "<a@example.org>", "<c@example.com>,<d@example.com>", str(len(text)), "no")


def test_announces(sink):
    with connect(sink) as client:
        assert client.extensions == {
            "PIPELINING": "", "SIZE": str(100 << 20), "STARTTLS": "", "ENHANCEDSTATUSCODES": "",
            "8BITMIME": "", "DSN": "", "SMTPUTF8": ""}


def test_starttls(sink, authority, token):
    before = len(sink.kept())
    with connect(sink) as client:
        client.send("STARTTLS\r\nMAIL FROM:<injected@example.org>\r\n")
        assert client.reply().code == 220
        client.tls(authority, "backend.example.com")
        assert client.is_silent(0.2)
        assert client.command("MAIL FROM:<a@example.org>").code == 503
        client.ehlo()
        assert "STARTTLS" not in client.extensions
        assert client.command("STARTTLS").code == 503
        assert client.mail("a@example.org", "c@example.com", message(token)).code == 250
    assert sink.wait_kept(before + 1)[before][4] == "TLSv1.3"


def test_null_sender_utf8_and_parameters(sink, token):
    before = len(sink.kept())
    with connect(sink) as client:
        assert client.command("MAIL FROM:<> BODY=8BITMIME RET=HDRS ENVID=x SIZE=100").code == 250
        assert client.command("RCPT TO:<c@example.com> NOTIFY=NEVER").code == 250
        assert client.data(message(token)).code == 250
        assert client.command("MAIL FROM:<ä@example.org>").code == 553
        assert client.command("MAIL FROM:<ä@example.org> SMTPUTF8").code == 250
        assert client.command("RCPT TO:<ö@example.com>").code == 250
        assert client.data(message(token)).code == 250
    senders = [kept[1] for kept in sink.wait_kept(before + 2)[before:]]
    assert senders == ["<>", "<ä@example.org>"]


@pytest.mark.parametrize("pieces", [1, 7])
def test_pipelined_and_in_pieces(sink, token, pieces):
    texts = [message(token + str(number), f"{number}\r\n.x") for number in range(3)]
    whole = b"EHLO client.example.org\r\n"
    for text in texts:
        whole += "\r\n".join((*BEGIN, "")).encode() + text.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    with Smtp(sink.port) as client:
        assert client.reply().code == 220
        client.send_slowly(whole + b"QUIT\r\n", size=pieces)
        codes = [client.reply().code for _ in range(14)]
        assert codes == [250] + [250, 250, 354, 250] * 3 + [221]
        assert client.is_ended()
    assert [one.raw for one in sink.inbox.messages(token.encode())] == texts


def test_large_message(sink, token):
    text = message(token, "x" * 70 + "\r\n") + (b"." + os.urandom(32).hex().encode() + b"\r\n") * 150000
    with connect(sink) as client:
        assert client.mail("a@example.org", "c@example.com", text).code == 250
    (one,) = sink.inbox.messages(token.encode())
    assert hashlib.sha256(one.raw).digest() == hashlib.sha256(text).digest()


@pytest.mark.parametrize("line, code", [
    ("MAIL FROM:<a@example.org>", 503), ("RCPT TO:<c@example.com>", 503), ("DATA", 503),
    ("EHLO", 501), ("NOSUCH", 500), ("", 500), ("STARTTLS now", 503), ("QUIT now", 501),
    ("VRFY", 501), ("VRFY x", 252), ("NOOP", 250), ("RSET", 250), ("HELO x", 250), ("x" * 3000, 500),
    ("NOOP \n", 500)])
def test_first_words(sink, line, code):
    with Smtp(sink.port) as client:
        assert client.reply().code == 220
        assert client.command(line).code == code
        assert client.command("NOOP").code == 250


@pytest.mark.parametrize("line, code", [
    ("MAIL FROM:<b@example.org>", 503), ("RCPT c@example.com", 501), ("RCPT TO:<>", 501), ("DATA", 554),
    ("DATA x", 501), ("STARTTLS", 503), ("RCPT TO:<c@example.com> X=1", 555)])
def test_words_in_a_transaction(sink, line, code):
    with connect(sink) as client:
        assert client.command("MAIL FROM:<a@example.org>").code == 250
        assert client.command(line).code == code
        assert client.command("RCPT TO:<c@example.com>").code == 250


def test_many_recipients(sink, token):
    before = len(sink.kept())
    with connect(sink) as client:
        client.command("MAIL FROM:<a@example.org>")
        replies = client.commands(*[f"RCPT TO:<c{number}@example.com>" for number in range(1002)])
        assert [reply.code for reply in replies] == [250] * 1000 + [452] * 2
        assert client.data(message(token)).code == 250
    assert sink.wait_kept(before + 1)[before][2].count("@") == 1000


def test_too_many_errors(sink):
    with connect(sink) as client:
        client.send("NOSUCH\r\n" * 30)
        codes = [client.reply().code for _ in range(21)]
        assert codes == [500] * 20 + [421]
        assert client.is_ended()


def test_size(start, token):
    sink = start.sink(options=["--size", 1000])
    with connect(sink) as client:
        assert client.extensions["SIZE"] == "1000" and "STARTTLS" not in client.extensions
        assert client.command("STARTTLS").code == 502
        assert client.command("MAIL FROM:<a@example.org> SIZE=1001").code == 552
        exact = message(token, "")
        exact += b"x" * (1000 - len(exact) - 2) + b"\r\n"
        assert client.mail("a@example.org", "c@example.com", exact).code == 250
        reply = client.mail("a@example.org", "c@example.com", b"x" + exact)
        assert reply.code == 552 and reply.enhanced == "5.3.4"
        assert not temporary(sink)
        assert client.mail("a@example.org", "c@example.com", exact).code == 250
    assert len(sink.inbox.messages()) == 2


def test_envelope(start, token):
    sink = start.sink(options=["--envelope"])
    with connect(sink) as client:
        client.mail("a@example.org", ["c@example.com", "d@example.com"], message(token))
    assert sink.inbox.messages()[0].raw == (
        b"X-Sink-From: <a@example.org>\r\nX-Sink-To: <c@example.com>\r\n"
        b"X-Sink-To: <d@example.com>\r\n" + message(token))
    assert sink.wait_kept(1)[0][3] == str(len(message(token)))


@pytest.mark.parametrize("words", [(), ("MAIL FROM:<a@example.org>",), BEGIN])
def test_impatience(start, words):
    sink = start.sink(options=["--idle", "0.4"])
    with connect(sink) as client:
        for word in words:
            client.command(word)
        assert client.is_silent(0.2)
        reply = client.reply()
        assert reply.code == 421 and reply.enhanced == "4.4.2"
        assert client.is_ended()
    assert not temporary(sink)


def test_idle_begins_anew_with_each_word(start):
    sink = start.sink(options=["--idle", "0.6"])
    with connect(sink) as client:
        for _ in range(4):
            assert client.is_silent(0.3)
            assert client.command("NOOP").code == 250
        for word in BEGIN:
            client.command(word)
        client.send_slowly("a\r\n" * 6, pause=0.15, size=3)
        client.send(".\r\n")
        assert client.reply().code == 250


def test_idle_during_the_handshake(start, certificate):
    sink = start.sink(certificate, options=["--idle", "0.4"])
    with connect(sink) as client:
        assert client.command("STARTTLS").code == 220
        assert client.is_ended()


def test_disk_full(start, token):
    sink = start.sink(limits=["--fsize=20000"])
    with connect(sink) as client:
        reply = client.mail("a@example.org", "c@example.com", message(token, "x" * 70 + "\r\n" * 30000))
        assert reply.code == 452 and reply.enhanced == "4.3.1"
        assert client.command("NOOP").code == 250
        assert client.mail("a@example.org", "c@example.com", message(token)).code == 250
    assert len(sink.inbox.messages()) == 1 and not temporary(sink)
    assert "cannot write" in sink.text()


def test_folder_gone(start):
    sink = start.sink()
    with connect(sink) as client:
        client.envelope("a@example.org", "c@example.com")
        client.command("DATA")
        sink.inbox.path.joinpath("new").rmdir()
        client.send("text\r\n.\r\n")
        assert client.reply().code == 452
        sink.inbox.path.joinpath("tmp").rmdir()
        client.envelope("a@example.org", "c@example.com")
        assert client.command("DATA").code == 452
        assert client.command("NOOP").code == 250


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves(sink, token, how):
    with connect(sink) as client:
        client.envelope("a@example.org", "c@example.com")
        client.command("DATA")
        client.send(message(token))
        assert client.is_silent(0.1)
        assert len(temporary(sink)) == 1
        getattr(client, how)()
    with connect(sink):
        assert sink.inbox.stays_without(token, 0.1)
        assert not temporary(sink)


def test_half_closed(sink, token):
    with connect(sink) as client:
        client.send("\r\n".join((*BEGIN, "")).encode() + message(token) + b".\r\n")
        client.finish()
        assert [client.reply().code for _ in range(4)] == [250, 250, 354, 250]
        assert client.is_ended()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly(start, number):
    sink = start.sink()
    with connect(sink) as idle, connect(sink) as busy:
        busy.envelope("a@example.org", "c@example.com")
        busy.command("DATA")
        busy.send("half a message")
        assert busy.is_silent(0.1)
        sink.stop(number)
        assert idle.reply().code == 421 and busy.reply().code == 421
        assert idle.is_ended() and busy.is_ended()
    assert not temporary(sink) and not sink.inbox.messages()


@pytest.mark.parametrize("words, status, says", [
    ([], 64, "--listen is missing"),
    (["--listen", "127.0.0.1:2526"], 64, "--maildir is missing"),
    (["--listen"], 64, "--listen needs an address and port"),
    (["--listen", "127.0.0.1"], 64, '"127.0.0.1": expected is an address and port'),
    (["--lisetn", "x"], 64, "--listen?"),
    (["listen"], 64, 'no option "listen"; --listen?'),
    (["--idle", "soon"], 64, "expected is a number, between 0.05 and 86400"),
    (["--size", "-1"], 64, "a size such as 256K, 25M"),
    (["--hostname", "a\r\nb"], 64, "a host name"),
    (["--listen", "127.0.0.1:{port}", "--maildir", "mail", "--key", "x"], 64, "belong together"),
    (["--listen", "127.0.0.1:{port}", "--maildir", "mail", "--cert", "x", "--key", "y"], 66, "x: No"),
    (["--listen", "127.0.0.1:{port}", "--maildir", "no/mail"], 73, "cannot make no/mail: No such"),
    (["--listen", "192.0.2.1:{port}", "--maildir", "mail"], 69, "cannot listen on 192.0.2.1:"),
])
def test_wrong_words(start, words, status, says):
    words = [word.replace("{port}", str(free_port())) for word in words]
    done = subprocess.run([program(), "sink", *words], cwd=start.folder(), timeout=20,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.returncode, says in done.stderr) == (status, True), done.stderr
    assert done.stdout == ""
    assert ("usage: postern sink" in done.stderr) == (status == 64)
