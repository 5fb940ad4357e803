"""Mail arrives as it came, whatever it is, over every kind of connection."""

import hashlib
import smtplib
import socket
import ssl
import subprocess

import pytest

from kit.postern import fronts
from kit.process import free_port, wait_until
from kit.scripted import CLOSE, READ
from kit.smtp import Smtp, connect, message

FRONTS = ("plain", "starttls", "implicit")
MIB = 1024 * 1024


def bulk(token, size):
    """A message of that many bytes, with lines of all lengths and dots at their beginnings."""
    lines = b"".join(b"." * (n % 3) + b"x" * (n * 7 % 900) + b"\r\n" for n in range(2000))
    head = message(token)
    text = (head + lines * (size // len(lines) + 1))[:size - 2]
    return text.rstrip(b"\r") + b"\r\n" * (1 if len(text) == len(text.rstrip(b"\r")) else 2)


def postern(start, backend, pair, delivery="hold", tls="opportunistic", authority=None, **keys):
    ports, configuration = fronts(pair)
    server = {"servers": [f"127.0.0.1:{backend.port}"], "tls": tls}
    if tls == "verify":
        server["tls_name"] = "backend.example.com"
        configuration["tls"]["ca"] = str(authority.cert)
    return ports, start.postern(
        {**configuration, "backend": server, "delivery": delivery, **keys}, backend=backend)


def assert_arrived(inbox, token, sent, copies=1):
    """Byte for byte the same (lines end with LF there), behind postern's own field."""
    found = inbox.wait(token, copies)
    assert len(found) == copies
    for one in found:
        head, _, rest = one.raw.partition(b"by mx.example.com (postern) with ")
        assert head.startswith((b"Return-Path: ", b"Received: from [127.0.0.1] "))
        field_end = rest.index(b"\n")
        while rest[field_end + 1:field_end + 2] in (b" ", b"\t"):
            field_end = rest.index(b"\n", field_end + 1)
        assert rest[field_end + 1:] == sent.replace(b"\r\n", b"\n")
    return found


# To Postfix, over every kind of connection

@pytest.mark.parametrize("tls", ["off", "opportunistic", "required", "verify"])
@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_every_way(start, backend, authority, certificate, delivery, tls, token):
    ports, program = postern(start, backend, certificate, delivery, tls, authority)
    for front in FRONTS:
        own = f"{token}-{front}"
        text = bulk(own, 100_000)
        with connect(ports[front], front, authority) as client:
            assert client.mail("a@example.org", ["c@example.com"], text).code == 250
            assert client.quit().code == 221
        copy, = assert_arrived(backend.inbox, own, text)
        protocol = "ESMTP" if front == "plain" else "ESMTPS"
        assert f"by mx.example.com (postern) with {protocol} id ".encode() in copy.raw
        assert (b"(using TLSv1.3 with cipher" in copy.raw.split(b"Subject:")[0].split(
            b"Received: from client.example.org")[1]) == (front != "plain")
        record = program.wait_log(lambda line: own in (line.get("subject") or ""))
        assert record["body"]["in"] == hashlib.sha256(text).hexdigest()
        assert record["client"]["tls"] == (None if front == "plain" else "TLSv1.3")
    encrypted = backend.log_text().count("TLS connection established from")
    assert tls == "off" or encrypted > 0


@pytest.mark.parametrize("delivery, front, tls", [
    ("hold", "plain", "off"), ("stream", "starttls", "required")])
def test_50_megabytes(start, backend, certificate, delivery, front, tls, token):
    ports, program = postern(start, backend, certificate, delivery, tls)
    text = bulk(token, 50 * MIB)
    with connect(ports[front], front, timeout=50) as client:
        assert client.mail("a@example.org", "c@example.com", text).code == 250
    record = program.wait_log(lambda line: "case" in line)
    assert record["size"] == len(text) == 50 * MIB
    assert_arrived(backend.inbox, token, text)


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_one_megabyte_for_a_hundred(start, backend, certificate, delivery, token):
    ports, _ = postern(start, backend, certificate, delivery)
    text = bulk(token, 20_000)
    recipients = [f"c{number}@example.com" for number in range(100)]
    with connect(ports["starttls"], "starttls") as client:
        replies = client.commands("MAIL FROM:<a@example.org>",
                                  *(f"RCPT TO:<{to}>" for to in recipients))
        assert {reply.code for reply in replies} == {250}
        assert client.data(text).code == 250
        big = bulk(token + "big", MIB)
        assert client.mail("a@example.org", "c@example.com", big).code == 250
    copies = assert_arrived(backend.inbox, token.encode() + b"@", text, 100)
    assert {copy.header("Delivered-To") for copy in copies} == set(recipients)
    assert_arrived(backend.inbox, token + "big", big)


TEXTS = {
    "8bit": "Grüße, 世界, \x80\xff".encode("latin-1", "ignore") + "世界".encode(),
    "dots": b".\r\n..\r\n...\r\n. \r\n.x\r\nx.\r\n..\r\n",
    "line998": b"y" * 998,
    "line-long": b"y" * 20_000 + b"\r\n" + b"z" * 2049,
    "empty-lines": b"\r\n\r\n\r\n",
    "no-text": b"",
    "blanks-at-ends": b"a \r\n\t\r\nb\t\t ",
}


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_odd_texts(start, backend, certificate, delivery, token):
    ports, _ = postern(start, backend, certificate, delivery)
    with connect(ports["plain"]) as client:
        for name, text in TEXTS.items():
            sent = message(token + name, "") + text
            sent += b"" if sent.endswith(b"\r\n") else b"\r\n"
            client.envelope("a@example.org", "c@example.com", parameters="BODY=8BITMIME")
            assert client.data(sent).code == 250, name
            assert_arrived(backend.inbox, token + name + "@", sent)


# What Postfix would tidy up: to a backend that shows it as it is

BARE = {
    "empty": b"",
    "one-line-end": b"\r\n",
    "no-header": b"..only a body\r\n",
    "nul": b"Subject: x\r\n\r\n\0\0a\0\r\n",
    "header-only": b"Subject: x\r\n",
    "received-folded": b"Received: from x\r\n\tby y\r\n\r\nz\r\n",
}


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_bare_texts(start, certificate, delivery):
    backend = start.scripted()
    ports, _ = postern(start, backend, certificate, delivery)
    with connect(ports["plain"]) as client:
        for name, text in BARE.items():
            client.envelope("a@example.org", "c@example.com")
            client.line("DATA")
            assert client.reply().code == 354
            stuffed = (b"\r\n" + text).replace(b"\r\n.", b"\r\n..")[2:]
            client.send_slowly(stuffed + b".\r\n", 0.001)
            assert client.reply().code == 250, name
            assert backend.mails[-1].message == text, name


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_bare_newlines_are_normalized(start, certificate, delivery):
    backend = start.scripted()
    ports, program = postern(start, backend, certificate, delivery)
    with connect(ports["plain"]) as client:
        client.envelope("a@example.org", "c@example.com")
        assert client.command("DATA").code == 354
        client.send(b"Subject: x\n\na\n.\nb\rc\r.\r\n\n.\r\nd\r\n.\r\n")
        assert client.reply().code == 250
        assert client.command("NOOP").code == 250
    assert len(backend.mails) == 1
    assert backend.mails[0].message == b"Subject: x\r\n\r\na\r\n.\r\nb\r\nc\r\n.\r\n\r\n.\r\nd\r\n"
    record = program.wait_log(lambda line: "case" in line)
    assert {"filter": "smtp", "key": "bare_newline", "value": "yes"}.items() <= next(
        fact for fact in record["facts"] if fact["key"] == "bare_newline").items()


@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_internationalized_addresses(start, backend, certificate, delivery, token):
    ports, program = postern(start, backend, certificate, delivery)
    with connect(ports["starttls"], "starttls") as client:
        assert "SMTPUTF8" in client.extensions and "8BITMIME" in client.extensions
        assert client.envelope("jürgen@exämple.org", "用户@example.com",
                               parameters="SMTPUTF8 BODY=8BITMIME")[-1].code == 250
        text = message(token, "Hallo Jürgen", sender="jürgen@exämple.org")
        assert client.data(text).code == 250
    copy, = assert_arrived(backend.inbox, token, text)
    assert "用户@example.com".encode() in copy.raw and b"with UTF8ESMTPS id " in copy.raw
    record = program.wait_log(lambda line: token in (line.get("subject") or ""))
    assert record["from"] == "jürgen@exämple.org" and record["recipients"] == ["用户@example.com"]


# TLS to the backend

@pytest.mark.parametrize("delivery", ["hold", "stream"])
@pytest.mark.parametrize("fault", ["name", "authority", "expired", "not offered"])
def test_backend_that_cannot_be_verified(start, authority, certificate, fault, delivery):
    names = ["elsewhere.example.com"] if fault == "name" else ["backend.example.com"]
    pair = authority.issue(*names, kind="ecdsa", days=-1 if fault == "expired" else 30)
    backend = start.scripted(certificate=None if fault == "not offered" else pair)
    ports, configuration = fronts(certificate)
    if fault != "authority":
        configuration["tls"]["ca"] = str(authority.cert)
    configuration["backend"] = {"servers": [f"127.0.0.1:{backend.port}"], "tls": "verify",
                                "tls_name": "backend.example.com"}
    start.postern({**configuration, "delivery": delivery})
    with connect(ports["plain"]) as client:
        reply = client.mail("a@example.org", "c@example.com", message("x"))
        assert reply.code == 451 and reply.enhanced.startswith("4.")
    assert backend.mails == [] and not any(line.startswith("MAIL") for line in backend.lines)


@pytest.mark.parametrize("tls, code", [("required", 451), ("opportunistic", 250)])
def test_backend_whose_handshake_fails(start, certificate, tls, code):
    backend = start.scripted({"starttls": (b"220 go\r\n", READ, b"garbage\r\n" * 10, CLOSE)},
                             certificate=certificate)
    ports, _ = postern(start, backend, certificate, tls=tls)
    with connect(ports["plain"]) as client:
        assert client.mail("a@example.org", "c@example.com", message("x")).code == code
    assert [mail.is_tls for mail in backend.mails] == ([False] if code == 250 else [])


# The front

def test_certificate_by_name(start, authority, certificate, certificate_ecdsa):
    other = authority.issue("mail.example.net", "*.example.edu", kind="ecdsa")
    backend = start.scripted()
    ports, configuration = fronts(certificate, other, certificate_ecdsa)
    start.postern(configuration, backend=backend)
    wanted = {"mx.example.com": certificate, "mail.example.net": other, "a.example.edu": other,
              "unknown.example": certificate, None: certificate}
    for front in ("starttls", "implicit"):
        for name, pair in wanted.items():
            with connect(ports[front], front, None, name) as client:
                got = ssl.DER_cert_to_PEM_cert(client.socket.getpeercert(True))
                known = {pair.cert.read_text().partition("-----END")[0]}
                if pair is certificate:
                    known.add(certificate_ecdsa.cert.read_text().partition("-----END")[0])
                assert got.partition("-----END")[0] in known, name


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(start, certificate):
    ports, program = postern(start, start.scripted(), certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Smtp(ports["implicit"]) as client, pytest.raises(ssl.SSLError):
        client.tls(context=context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Smtp(ports["implicit"]) as client:
        client.tls(context=context)
        assert client.greet().code == 220 and client.socket.version() == "TLSv1.2"
    wait_until(lambda: "handshake failed" in program.text())


def test_required_tls(start, certificate):
    ports, configuration = fronts(certificate)
    configuration["listen"][1]["tls"] = "required"
    start.postern(configuration, backend=start.scripted())
    with connect(ports["starttls"]) as client:
        reply = client.command("MAIL FROM:<a@example.org>")
        assert reply.code == 530 and reply.enhanced == "5.7.0"
        client.starttls()
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250


def test_ipv6(start):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    backend, port = start.scripted(), free_port()
    program = start.postern({"listen": [{"address": f"[::1]:{port}", "tls": "off"}]},
                            backend=backend)
    with connect(port, host="::1") as client:
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
    assert b"[IPv6:::1]" in backend.mails[0].raw
    assert program.wait_log(lambda line: "case" in line)["client"]["ip"] == "::1"


# Other clients, other backends

@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_exim(start, authority, certificate, delivery, token):
    exim = start.exim()
    ports, _ = postern(start, exim, certificate, delivery, "verify", authority)
    for front in FRONTS:
        text = bulk(token + front, 200_000)
        with connect(ports[front], front) as client:
            assert client.mail("a@example.org", "c@example.com", text).code == 250
            reply = client.mail("a@example.org", "x@example.net", text)
            assert reply.code == 550 and "Relaying" in reply.text
        assert_arrived(exim.inbox, token + front, text)


@pytest.mark.parametrize("option, front", [
    (None, "plain"), ("-tls", "starttls"), ("-tlsc", "implicit")])
def test_swaks(start_module, backend, certificate, authority, option, front, token):
    ports, _ = postern(start_module, backend, certificate)
    arguments = ["swaks", "--server", f"127.0.0.1:{ports[front]}", "--from", "a@example.org", "--to",
                 "c@example.com,d@example.com", "--header", f"Subject: {token}", "--pipeline"]
    if option:
        arguments += [option, "--tls-verify", "--tls-ca-path", authority.cert, "--tls-sni",
                      "mx.example.com"]
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(backend.inbox.wait(token, 2)) == 2


def test_smtplib(start_module, backend, certificate, authority, token):
    ports, _ = postern(start_module, backend, certificate, "stream")
    context = ssl.create_default_context(cafile=str(authority.cert))
    context.check_hostname = False
    with smtplib.SMTP("127.0.0.1", ports["starttls"], "client.example.org") as client:
        client.starttls(context=context)
        assert client.sendmail("a@example.org", ["c@example.com"], message(token)) == {}
    with smtplib.SMTP_SSL("127.0.0.1", ports["implicit"], "client.example.org",
                          context=context) as client:
        refused = client.sendmail("a@example.org", ["c@example.com", "x@example.net"],
                                  message(token))
        assert refused["x@example.net"][0] == 550
    backend.inbox.wait(token, 2)
