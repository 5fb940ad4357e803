"""
Scanners of others: real clamd, rspamd and spamd, and ones that fall silent, die or talk nonsense.
What they find is a fact, what they fail in is the fact `error`, and no mail is lost by either.
"""

import base64
import io
import os
import re
import signal
import socket
import threading
import zipfile

import pytest

from kit.process import wait_until
from kit.scanners import EICAR, GTUBE
from kit.smtp import Smtp, message

SHIPPED = [{"include": "defaults/policy.yaml"}]


def configuration(address, delivery="hold", policy=SHIPPED, **clamav):
    return {"filters": {"clamav": {"address": address, **clamav}}, "policy": policy,
            "delivery": delivery, "limits": {"sessions_per_client": 1000}}


@pytest.fixture(scope="module")
def backend(start_module):
    return start_module.scripted()


@pytest.fixture(scope="module")
def clamd(start_module):
    return start_module.clamd()


def deliver(postern, mail):
    with Smtp(postern.port) as client:
        client.greet()
        return client.mail("a@example.org", "c@example.com", mail)


def fact(postern, subject, key="result", name="clamav"):
    """The value and detail that the record of this mail has."""
    record = postern.wait_log(lambda line: line.get("subject") == f"test {subject}", 30)
    return next(((one["value"], one["detail"]) for one in record["facts"]
                 if (one["filter"], one["key"]) == (name, key)), None)


def begin(client):
    client.greet()
    for line in "MAIL FROM:<a@example.org>", "RCPT TO:<c@example.com>", "DATA":
        assert client.command(line).code in (250, 354)


def attachment(name, data):
    text = base64.encodebytes(data).decode().replace("\n", "\r\n")
    return ("MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Disposition: attachment; filename={name}\r\n"
            "Content-Transfer-Encoding: base64\r\n", text)


def zipped(data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("invoice.com", data)
    return file.getvalue()


# ---- clamd ----

@pytest.mark.parametrize("delivery", ["hold", "stream"])
@pytest.mark.parametrize("tcp", [False, True])
def test_virus(start, backend, delivery, tcp):
    """Refused as text, as an attachment and in an archive; what is clean passes."""
    clamd = start.clamd(tcp=tcp)
    postern = start.postern(configuration(clamd.address, delivery), backend=backend)
    headers, text = attachment("x.zip", zipped(EICAR))
    mails = {"v1": message("v1", EICAR.decode()), "v2": message("v2", text, headers=headers)}
    headers, text = attachment("x.com", EICAR)
    mails["v3"] = message("v3", text, headers=headers)
    for token, mail in mails.items():
        reply = deliver(postern, mail)
        assert reply.code == 550 and "virus" in reply.text, reply
        value, detail = fact(postern, token)
        assert value == "infected" and "Eicar-Test-Signature" in detail
    assert not any(b"test v" in mail.raw for mail in backend.mails if mail.is_accepted)
    assert deliver(postern, message("good")).code == 250
    assert fact(postern, "good") == ("clean", "")


def test_large(start, backend, clamd):
    """20 MB pass through clamd, and a virus behind 20 MB is found."""
    postern = start.postern(configuration(clamd.address, max_size="50M"), backend=backend)
    text = ("All work and no play makes Jack a dull boy. " * 20 + "\r\n") * 22500
    assert deliver(postern, message("large", text)).code == 250
    assert fact(postern, "large") == ("clean", "")
    headers, last = attachment("x.com", EICAR)
    multipart = ("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
                 f"--b\r\n\r\n{text}\r\n--b\r\n{headers}\r\n{last}\r\n--b--")
    assert deliver(postern, message("virus", multipart[1], headers=multipart[0])).code == 550


def test_too_large(start, backend, clamd):
    """Beyond max_size, or what clamd takes itself, a message is not looked at."""
    small = start.clamd(StreamMaxLength="1M")
    text = ("x" * 70 + "\r\n") * 30000
    for address, max_size, why in ((clamd.address, "1M", "max_size"),
                                   (small.address, "25M", "StreamMaxLength")):
        postern = start.postern(configuration(address, max_size=max_size), backend=backend)
        assert deliver(postern, message("big", text)).code == 250
        value, detail = fact(postern, "big")
        assert value == "skipped" and why in detail
        assert not [line for line in postern.log_json() if line.get("level") == "error"]


def test_many(start, backend, clamd):
    """20 clients at once, good and bad, each gets its own answer."""
    postern = start.postern(configuration(clamd.address), backend=backend)
    codes = {}

    def client(number):
        text = EICAR.decode() if number % 2 else "x" * 70 + "\r\n"
        codes[number] = deliver(postern, message(f"m{number}", text * (1 if number % 2 else 3000))).code

    threads = [threading.Thread(target=client, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == {number: 550 if number % 2 else 250 for number in range(20)}


# ---- clamd in trouble ----

def assert_deferred_then_good(postern, clamd_again):
    """A mail is deferred while the scanner is away; the same mail passes once it is back."""
    reply = deliver(postern, message("away"))
    assert reply.code == 451, reply
    assert fact(postern, "away")[0] == "error"
    clamd_again()
    assert deliver(postern, message("back")).code == 250
    said = [line for line in postern.log_json() if line.get("event") == "scanner"]
    assert [line["level"] for line in said] == ["error", "warning"], said


def test_slow_client(start, backend):
    """clamd gives up on a message that pauses; it gets it once more when it is whole."""
    clamd = start.clamd(ReadTimeout="1")
    postern = start.postern(configuration(clamd.address), backend=backend)
    for token, text, code in ("slow", "Hello.\r\n", 250), ("slow virus", EICAR.decode() + "\r\n", 550):
        with Smtp(postern.port) as client:
            begin(client)
            client.send(f"Subject: test {token}\r\n\r\n" + "Some text.\r\n" * 20000)
            wait_until(lambda: clamd_has_stream(clamd), what="a stream in clamd")
            wait_until(lambda: not clamd_has_stream(clamd), what="the end of clamd's patience")
            client.send(text + ".\r\n")
            assert client.reply().code == code
    assert not [line for line in postern.log_json() if line.get("event") == "scanner"]


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_restarted(start, backend, delivery):
    """clamd is started anew in the middle of a message: it gets it from the beginning."""
    clamd = start.clamd()
    postern = start.postern(configuration(clamd.address, delivery), backend=backend)
    with Smtp(postern.port) as client:
        begin(client)
        client.send("Subject: test restarted\r\n\r\n" + EICAR.decode() + "\r\n" + "Text.\r\n" * 40000)
        wait_until(lambda: clamd_has_stream(clamd), what="a stream in clamd")
        clamd.kill()
        restart(clamd)
        client.send(".\r\n")
        assert client.reply().code == 550
    assert fact(postern, "restarted")[0] == "infected"


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_killed(start, backend, delivery):
    """clamd dies in the middle of a message: the mail is deferred, and not lost."""
    clamd = start.clamd()
    postern = start.postern(configuration(clamd.address, delivery), backend=backend)
    with Smtp(postern.port) as client:
        begin(client)
        client.send("Subject: test killed\r\n\r\n" + "Some text.\r\n" * 20000)
        wait_until(lambda: clamd_has_stream(clamd), what="a stream in clamd")
        clamd.kill()
        client.send("More text.\r\n" * 1000 + ".\r\n")
        assert client.reply().code == 451
    assert fact(postern, "killed")[0] == "error"
    assert_deferred_then_good(postern, lambda: restart(clamd))
    assert not any(b"test killed" in mail.raw for mail in backend.mails if mail.is_accepted)


def clamd_has_stream(clamd):
    """clamd keeps what comes in in a file of its own."""
    return any(path.stat().st_size > 100000 for path in clamd.folder.rglob("*")
               if path.is_file() and path.name not in ("log", "output"))


def restart(clamd):
    clamd.output.write_text("")
    clamd.start()


def test_silent(start, backend):
    """clamd is stopped: a mail has its time-out, others and their sessions go on."""
    clamd = start.clamd()
    postern = start.postern(configuration(clamd.address, timeout="1s"), backend=backend)
    other = start.postern({}, backend=backend)
    clamd.send_signal(signal.SIGSTOP)
    try:
        with Smtp(postern.port) as second:
            second.greet()
            with Smtp(postern.port) as client:
                begin(client)
                client.send("Subject: test silent\r\n\r\ntext\r\n.\r\n")
                assert second.command("NOOP").code == 250
                assert client.reply().code == 451
        value, detail = fact(postern, "silent")
        assert value == "error" and "no answer within 1 s" in detail
        assert deliver(other, message("other")).code == 250
    finally:
        clamd.send_signal(signal.SIGCONT)
    assert deliver(postern, message("awake")).code == 250


def test_absent(start, backend):
    """Nobody listens there: deferred at once, with one line in the log for all of it."""
    folder = start.folder()
    postern = start.postern(configuration(str(folder / "ctl")), backend=backend)
    for number in range(5):
        assert deliver(postern, message(f"absent{number}")).code == 451
    said = [line for line in postern.log_json() if line.get("event") == "scanner"]
    assert len(said) == 1 and str(folder / "ctl") in said[0]["message"]


def test_own_word(start, backend):
    """The policy may say that mail passes unseen."""
    policy = [{"name": "unseen", "when": {"clamav": "error"}, "do": "accept"}]
    postern = start.postern(configuration("127.0.0.1:1", policy=policy), backend=backend)
    assert deliver(postern, message("unseen")).code == 250


def swallow(peer):
    while peer.recv(65536):
        pass


def answer(data):
    """Reads the whole message first."""
    def script(peer):
        text = b""
        while not text.endswith(b"\0\0\0\0"):
            more = peer.recv(65536)
            if not more:
                return
            text += more
        peer.sendall(data)
    return script


def endless(peer):
    peer.recv(65536)
    while True:
        peer.sendall(b"stream: " + b"x" * 65536)


NONSENSE = {
    "nothing": (answer(b""), "without an answer"),
    "garbage": (answer(b"\xff\xfe\x01 OK\0"), "it says"),
    "no end": (answer(b"stream: OK"), "it says"),
    "two answers": (answer(b"stream: OK\0stream: OK\0"), "it says"),
    "an error": (answer(b"stream: Can't allocate memory ERROR\0"), "allocate memory"),
    "another protocol": (answer(b"HTTP/1.1 200 OK\r\n\r\n"), "it says"),
    "endless": (endless, "too long"),
    "hangs up": (lambda peer: None, ""),
    "stalls": (lambda peer: threading.Event().wait(20), "no answer within"),
}


@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("local", [False, True])
def test_nonsense(start, backend, name, local):
    """Whatever a scanner answers: deferred, and the next mail is none the worse."""
    script, why = NONSENSE[name]
    scanner = start.scripted_scanner(script, path=start.folder() / "ctl" if local else None)
    postern = start.postern(configuration(scanner.address, timeout="1s"), backend=backend)
    assert deliver(postern, message("n")).code == 451
    value, detail = fact(postern, "n")
    assert value == "error" and why in detail
    assert deliver(postern, message("n2", ("x" * 70 + "\r\n") * 5000)).code == 451
    assert fact(postern, "n2")[0] == "error"
    scanner.script = answer(b"stream: OK\0")
    assert deliver(postern, message("n3", ("x" * 70 + "\r\n") * 5000)).code == 250


def test_too_early(start, backend):
    """Who judges a message that is not whole has not looked at it."""
    answered = threading.Event()

    def script(peer):
        peer.sendall(b"stream: OK\0")
        peer.shutdown(socket.SHUT_WR)
        answered.set()
        swallow(peer)

    scanner = start.scripted_scanner(script)
    postern = start.postern(configuration(scanner.address), backend=backend)
    with Smtp(postern.port) as client:
        begin(client)
        client.send("Subject: test early\r\n\r\n" + ("x" * 70 + "\r\n") * 2000)
        assert answered.wait(10)
        postern.wait_log(lambda line: "before it has the whole message" in line.get("message", ""))
        client.send("text\r\n.\r\n")
        assert client.reply().code == 451
    assert fact(postern, "early")[0] == "error"


def test_never_reads(start, backend):
    """A scanner that takes nothing: the message waits in a file, the client is not slowed down."""
    scanner = start.scripted_scanner(lambda peer: threading.Event().wait(30))
    postern = start.postern({**configuration(scanner.address, timeout="1s"),
                             "limits": {"memory": "64K"}}, backend=backend)
    assert deliver(postern, message("slow", ("x" * 70 + "\r\n") * 100000)).code == 451
    assert "no answer" in fact(postern, "slow")[1]


def test_slow_reader(start, backend):
    """One that reads late gets all of it, in order."""
    go = threading.Event()
    got = []

    def script(peer):
        go.wait(20)
        text = b""
        while not text.endswith(b"\0\0\0\0"):
            text += peer.recv(65536)
        got.append(text)
        peer.sendall(b"stream: OK\0")

    scanner = start.scripted_scanner(script)
    postern = start.postern({**configuration(scanner.address),
                             "limits": {"memory": "64K"}}, backend=backend)
    mail = message("late", "".join(f"line {number}\r\n" for number in range(500000)))
    with Smtp(postern.port) as client:
        begin(client)
        client.send(mail + b".\r\n")
        assert client.is_silent(0.5)
        go.set()
        assert client.reply().code == 250
    assert unwrapped(got[0]) == mail


def unwrapped(text):
    """The message in what clamd is sent."""
    assert text.startswith(b"zINSTREAM\0")
    pieces, at = [], len(b"zINSTREAM\0")
    while True:
        length = int.from_bytes(text[at:at + 4], "big")
        if length == 0:
            assert at + 4 == len(text)
            return b"".join(pieces)
        pieces.append(text[at + 4:at + 4 + length])
        at += 4 + length


def test_client_leaves(start, backend):
    """A client that leaves in the middle ends the conversation, and nothing is said about it."""
    gone = threading.Event()

    def script(peer):
        try:
            swallow(peer)
        finally:
            gone.set()

    scanner = start.scripted_scanner(script)
    postern = start.postern(configuration(scanner.address), backend=backend)
    for reset in False, True:
        gone.clear()
        count = scanner.count
        client = Smtp(postern.port)
        begin(client)
        client.send("Subject: x\r\n\r\n" + ("x" * 70 + "\r\n") * 2000)
        wait_until(lambda: scanner.count > count, what="a connection")
        client.reset() if reset else client.close()
        assert gone.wait(10)
    assert not [line for line in postern.log_json() if line.get("level") in ("error", "warning")]


def test_full_queue(start, backend):
    """A Unix socket whose queue is full for a moment is tried again."""
    scanner = start.scripted_scanner(answer(b"stream: OK\0"), path=start.folder() / "ctl")
    os.unlink(scanner.path)
    scanner.stop()
    full = start.scripted_scanner(answer(b"stream: OK\0"), path=scanner.path, backlog=0)
    postern = start.postern(configuration(full.address), backend=backend)
    codes = []
    threads = [threading.Thread(target=lambda n=n: codes.append(
        deliver(postern, message(f"q{n}", ("x" * 70 + "\r\n") * 100)).code)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [250] * 20


# ---- rspamd and SpamAssassin ----

@pytest.fixture(scope="module")
def rspamd(start_module):
    return start_module.rspamd()


@pytest.fixture(scope="module")
def spamd(start_module):
    return start_module.spamd()


def with_filter(name, address, delivery="hold", **options):
    return {"filters": {name: {"address": address, **options}}, "policy": SHIPPED,
            "delivery": delivery, "thresholds": {"reject": 6}, "limits": {"sessions_per_client": 1000}}


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_rspamd(start, backend, rspamd, delivery):
    """What rspamd would do is a fact; the shipped policy refuses, defers or lets pass by it."""
    postern = start.postern(with_filter("rspamd", rspamd.address, delivery), backend=backend)
    cases = {"good": ("Hello.", 250, "no_action", "score 0.00 of 15.00"),
             "gtube": (GTUBE, 550, "reject", "score 15.00 of 15.00"),
             "bulk": ("Hello.", 550, "add_header", "score 6.00 of 15.00"),
             "grey": ("Hello.", 250, "greylist", "score 4.00 of 15.00"),
             "later": ("Hello.", 451, "soft_reject", "score 0.00 of 15.00")}
    for token, (text, code, value, detail) in cases.items():
        assert deliver(postern, message(token, text)).code == code, token
        assert fact(postern, token, name="rspamd") == (value, detail)
    record = postern.wait_log(lambda line: line.get("subject") == "test bulk")
    symbols = [one for one in record["facts"] if one["key"] == "symbol"]
    assert [(one["value"], one["about"]["score"]) for one in symbols] == [
        ("BULKY", "6.00"), ("ENVELOPE", "0.00")]
    assert [one["value"] for one in record["facts"] if one["key"] == "score"] == ["6.00"]


@pytest.mark.parametrize("name, score", [("rspamd", 6), ("spamassassin", 0)])
def test_its_score_counts(start, backend, rspamd, spamd, name, score):
    """A rule of the policy adds the scanner's own score to the sum."""
    scanner = {"rspamd": rspamd, "spamassassin": spamd}[name]
    postern = start.postern({
        **with_filter(name, scanner.address), "thresholds": {"tag": 0.5},
        "policy": [{"name": "its", "score": f"{name}.score"}, {"name": "one", "score": 1}]}, backend=backend)
    assert deliver(postern, message("bulk", "Hello.")).code == 250
    record = postern.wait_log(lambda line: line.get("subject") == "test bulk")
    own = float(next(one["value"] for one in record["facts"] if one["key"] == "score"))
    assert record["verdict"]["score"] == pytest.approx(own + 1) and own >= score


def test_rspamd_knows_the_envelope(start, backend, rspamd):
    postern = start.postern(with_filter("rspamd", rspamd.address), backend=backend)
    with Smtp(postern.port) as client:
        client.greet("mail.example.org")
        for sender, known in ("a@example.org", "a@example.org"), ("", ""):
            assert client.mail(sender, ["c@example.com", "d@example.com"], message("e")).code == 250
            wait_until(lambda: f"ENVELOPE(0.00){{{known};c@example.com+d@example.com;127.0.0.1;"
                               "mail.example.org;}" in rspamd.text(), what="rspamd's word")


def test_rspamd_large(start, backend, rspamd):
    """20 MB, and a message of 20,000 addresses, of which rspamd's answer is full."""
    postern = start.postern(with_filter("rspamd", rspamd.address), backend=backend)
    text = ("All work and no play makes Jack a dull boy. " * 20 + "\r\n") * 22500
    assert deliver(postern, message("large", text)).code == 250
    assert fact(postern, "large", name="rspamd")[0] == "no_action"
    label = "x" * 50 + "."
    text = "".join(f"http://{label * 3}h{n}-example.com/\r\n" for n in range(20000))
    assert deliver(postern, message("bulk", text)).code == 550
    assert fact(postern, "bulk", name="rspamd")[0] == "add_header"


def test_spamassassin(start, backend, spamd):
    """What spamd says is a fact, and spamd has been told client and sender."""
    postern = start.postern(with_filter("spamassassin", spamd.address), backend=backend)
    cases = {"good": ("Hello.", 250, "ham", "score 0.2 of 5.0"),
             "gtube": (GTUBE, 550, "spam", "score 1000.2 of 5.0"),
             "bulk": ("Hello.", 550, "spam", "score 6.2 of 5.0")}
    for token, (text, code, value, detail) in cases.items():
        assert deliver(postern, message(token, text)).code == code, token
        assert fact(postern, token, name="spamassassin") == (value, detail)
    record = postern.wait_log(lambda line: line.get("subject") == "test bulk")
    assert {one["value"] for one in record["facts"] if one["key"] == "symbol"} == {
        "BULKY", "ENVELOPE", "RELAYED"}
    assert not any(b"Return-Path" in mail.raw for mail in backend.mails)
    assert deliver(postern, message("big", ("x" * 70 + "\r\n") * 10000)).code == 250
    assert fact(postern, "big", name="spamassassin")[0] == "skipped"


@pytest.mark.parametrize("name", ["rspamd", "spamassassin"])
def test_no_help(start, backend, name):
    """Without them mail passes, by the other rules; nonsense is an error."""
    def script(peer):
        peer.recv(65536)
        peer.sendall(answers.pop())
        peer.shutdown(socket.SHUT_WR)
        swallow(peer)

    nonsense = [b"\0\xff\n", b"220 mx.example.com ESMTP\r\n", b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", b"SPAMD/1.1 0 EX_OK\r\n\r\n",
                b"SPAMD/1.1 0 EX_OK\r\nSpam: Perhaps ; 1 / 2\r\n\r\n", b"SPAMD/1.0 76 bad\r\n",
                b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" + b"[" * 6]
    answers = list(nonsense)
    scanner = start.scripted_scanner(script)
    postern = start.postern(with_filter(name, scanner.address, timeout="2s"), backend=backend)
    for number in range(len(nonsense)):
        assert deliver(postern, message(f"n{number}")).code == 250
        assert fact(postern, f"n{number}", name=name)[0] == "error"
    scanner.stop()
    assert deliver(postern, message("absent")).code == 250
    assert fact(postern, "absent", name=name)[0] == "error"
    said = [line for line in postern.log_json() if line.get("event") == "scanner"]
    assert len(said) == 1


def test_all_at_once(start, backend, clamd, rspamd, spamd):
    """Three scanners of the same messages, 20 clients."""
    postern = start.postern({
        "filters": {"clamav": {"address": clamd.address}, "rspamd": {"address": rspamd.address},
                    "spamassassin": {"address": spamd.address}},
        "policy": SHIPPED, "thresholds": {"reject": 6}, "limits": {"sessions_per_client": 1000}},
        backend=backend)
    texts = {0: "Hello.", 1: EICAR.decode(), 2: GTUBE}
    codes = {}

    def client(number):
        codes[number] = deliver(postern, message(f"all{number}", texts[number % 3])).code

    threads = [threading.Thread(target=client, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == {number: 550 if number % 3 else 250 for number in range(20)}


def test_check_live(start, backend, clamd, rspamd, spamd):
    """`check --live` asks the scanners, and names the one that is not there."""
    addresses = {"clamav": clamd.address, "rspamd": rspamd.address, "spamassassin": spamd.address}
    silent = start.rule_server(lambda name, query: ["192.0.2.1"])
    postern = start.postern({"filters": {name: {"address": address} for name, address in addresses.items()},
                             "policy": SHIPPED, "thresholds": {"reject": 6}}, backend=backend, dns=silent)
    status, out, _ = postern.command("check", "--live")
    assert status == 0, out
    for name, address in addresses.items():
        assert f"{name} ({address}): answers" in out
    postern.configure({"filters": {name: {"address": "127.0.0.1:1"} for name in addresses},
                       "policy": SHIPPED, "thresholds": {"reject": 6}})
    status, out, _ = postern.command("check", "--live")
    assert status != 0
    assert out.count("(127.0.0.1:1): FAILED: cannot connect: Connection refused") == 3


def test_explain(start, clamd, backend):
    """`explain` asks the scanner, too."""
    postern = start.postern(configuration(clamd.address), backend=backend)
    mail = postern.folder / "m.eml"
    mail.write_bytes(message("x", EICAR.decode()))
    status, out, _ = postern.command("explain", mail, "--ip", "198.51.100.5", "--rcpt", "c@example.com")
    assert "Eicar-Test-Signature" in out and "virus" in out, out


def keep(got, answer):
    """Takes in all that comes until there is a pause or an end, then answers."""
    def script(peer):
        text = b""
        while not text.endswith(b"0\r\n\r\n"):
            more = peer.recv(65536)
            if not more:
                break
            text += more
        got.append(text)
        peer.sendall(answer)
    return script


STRANGE = "x=[192.0.2.1]{by}"


def test_what_rspamd_is_told(start, backend):
    """The envelope stands in fields, one line each; the message comes in chunks."""
    got = []
    scanner = start.scripted_scanner(keep(
        got, b"HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n" + b'{"score":0,"action":"no action"}'))
    postern = start.postern(with_filter("rspamd", scanner.address, password="a: b"), backend=backend)
    mail = message("told", ".\r\n" + "".join(f"line {number}\r\n" for number in range(30000)))
    with Smtp(postern.port) as client:
        client.greet(STRANGE)
        recipients = [f"c{number}@example.com" for number in range(90)]
        assert client.mail('"a b"@example.org', recipients, mail).code == 250
    head, _, body = got[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /checkv2 HTTP/1.1"
    assert set(lines[1:]) == {
        "Host: rspamd", "Connection: close", "Transfer-Encoding: chunked", "IP: 127.0.0.1",
        f"Helo: {STRANGE}", 'From: <"a b"@example.org>', "Password: a: b",
        *(f"Rcpt: <{recipient}>" for recipient in recipients)}
    pieces = []
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        pieces.append(body[:length])
        assert body[length:length + 2] == b"\r\n"
        body = body[length + 2:]
        if length == 0:
            break
    assert b"".join(pieces) == mail and body == b""
    assert "a: b" not in postern.text()


def test_what_spamd_is_told(start, backend):
    """What stands in front of the message cannot be bent by the name that the client gives."""
    got = []
    scanner = start.scripted_scanner(keep(
        got, b"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: False ; 0.0 / 5.0\r\n\r\n"))
    postern = start.postern(with_filter("spamassassin", scanner.address), backend=backend)
    mail = message("told")
    with Smtp(postern.port) as client:
        client.greet(STRANGE)
        assert client.mail("", "c@example.com", mail).code == 250
    head, text = got[0][:-len(mail)].decode(), got[0][-len(mail):]
    assert text == mail
    assert re.fullmatch(
        r"SYMBOLS SPAMC/1\.5\r\n\r\nReturn-Path: <>\r\n"
        r"Received: from x\?\[192\.0\.2\.1\]\?by\? \(unknown \[127\.0\.0\.1\]\)\r\n"
        r"\tby mx\.example\.com \(postern\) with ESMTP; \w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\r\n", head), head
