"""AUTH goes through to the backend; who the backend lets in may relay."""

import base64
import smtplib
import subprocess
import time

import pytest

from kit.postern import fronts
from kit.smtp import connect, message

USER, SECRET = "jo@example.com", "geheim, 1 Wort"
# Exim's plain text authenticators; the second one is asked for name and password one by one.
EXIM = r"""
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{jo@example.com}}{eq{$auth3}{geheim, 1 Wort}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${if and{{eq{$auth1}{jo@example.com}}{eq{$auth2}{geheim, 1 Wort}}}}
  server_set_id = $auth1
"""


def b64(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def plain(user=USER, secret=SECRET):
    return b64(f"\0{user}\0{secret}")


@pytest.fixture(scope="module", params=["exim", "scripted"])
def place(request, start_module, certificate):
    """(ports, program): before a backend that has AUTH."""
    if request.param == "exim":
        backend = start_module.exim(settings="auth_advertise_hosts = *", authenticators=EXIM)
    else:
        backend = start_module.scripted(certificate=certificate, users={USER: SECRET})
    ports, configuration = fronts(certificate)
    program = start_module.postern({**configuration, "limits": {"errors": 50}}, backend=backend)
    return ports, program


@pytest.mark.parametrize("front", ["starttls", "implicit"])
def test_plain(place, front):
    ports, _ = place
    with connect(ports[front], front) as client:
        assert set(client.extensions["AUTH"].split()) == {"PLAIN", "LOGIN"}
        assert client.command(f"AUTH PLAIN {plain()}").code == 235
        assert client.command(f"AUTH PLAIN {plain()}").code == 503
        assert client.mail(USER, "c@example.com", message("x")).code == 250


def test_plain_in_two_steps(place):
    ports, _ = place
    with connect(ports["implicit"], "implicit") as client:
        reply = client.command("AUTH PLAIN")
        assert reply.code == 334 and reply.raw == b"334 \r\n"
        assert client.command(plain()).code == 235


def test_login(place, token):
    ports, program = place
    with connect(ports["implicit"], "implicit") as client:
        assert client.command("AUTH LOGIN").code == 334
        assert client.command(b64(USER)).code == 334
        assert client.command(b64(SECRET)).code == 235
        assert client.mail(USER, "c@example.com", message(token)).code == 250
    record = program.wait_log(lambda line: token in (line.get("subject") or ""))
    assert record["client"]["user"] == USER
    fact = next(fact for fact in record["facts"] if (fact["filter"], fact["key"]) == ("smtp", "auth"))
    assert fact["value"] == "yes" and fact["detail"] == USER
    assert SECRET not in program.text() and b64(SECRET) not in program.text()
    assert plain() not in program.text()


@pytest.mark.parametrize("words", [["AUTH PLAIN {}"], ["AUTH PLAIN", "{}"]])
def test_wrong_password(place, words):
    ports, _ = place
    with connect(ports["implicit"], "implicit") as client:
        for word in words:
            reply = client.command(word.format(plain(secret="falsch")))
        assert reply.code == 535
        # Nothing was opened by the try.
        assert client.envelope("a@example.org", "x@example.net")[-1].code == 550
        client.command("RSET")
        assert client.command(f"AUTH PLAIN {plain()}").code == 235


def test_given_up(place):
    ports, _ = place
    with connect(ports["implicit"], "implicit") as client:
        assert client.command("AUTH LOGIN").code == 334
        assert client.command("*").code == 501
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250


@pytest.mark.parametrize("line, codes", [
    ("AUTH", [501]), ("AUTH GSSAPI", [504]), ("AUTH PLAIN !!!", [501, 535]),
    ("AUTH PLAIN " + "A" * 20_000, [500, 501]),
])
def test_words(place, line, codes):
    ports, _ = place
    with connect(ports["implicit"], "implicit") as client:
        assert client.command(line).code in codes
        assert client.command("NOOP").code == 250


def test_not_without_tls(place):
    ports, _ = place
    for front in ("plain", "starttls"):
        with connect(ports[front]) as client:
            assert "AUTH" not in client.extensions
            assert client.command(f"AUTH PLAIN {plain()}").code in (502, 504, 530, 538)


def test_not_within_a_transaction(place):
    ports, _ = place
    with connect(ports["implicit"], "implicit") as client:
        client.command("MAIL FROM:<a@example.org>")
        assert client.command(f"AUTH PLAIN {plain()}").code == 503


def test_smtplib_and_swaks(place):
    ports, _ = place
    with smtplib.SMTP("127.0.0.1", ports["starttls"], "client.example.org") as client:
        client.starttls()
        client.login(USER, SECRET)
        assert client.sendmail(USER, ["c@example.com"], message("x")) == {}
        client.quit()
    done = subprocess.run([
        "swaks", "--server", f"127.0.0.1:{ports['implicit']}", "-tlsc", "--from", USER, "--to",
        "c@example.com", "--auth", "LOGIN", "--auth-user", USER, "--auth-password", SECRET],
        capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout


def test_who_logged_in_may_relay(start, certificate):
    backend = start.scripted(users={USER: SECRET})
    ports, configuration = fronts(certificate)
    program = start.postern({**configuration, "policy": [
        {"name": "users", "when": {"smtp.auth": "yes"}, "do": "accept"},
        {"name": "others", "do": "reject"}]}, backend=backend)
    with connect(ports["implicit"], "implicit") as client:
        assert client.envelope(USER, "x@example.net")[-1].code == 550
        client.command("RSET")
        assert client.command(f"AUTH PLAIN {plain()}").code == 235
        assert client.mail(USER, "x@example.net", message("x")).code == 250
    assert [(mail.user, mail.recipients) for mail in backend.mails] == [
        (USER, [b"TO:<x@example.net>"])]
    assert b"with ESMTPSA id " in backend.mails[0].raw
    record = program.wait_log(lambda line: line.get("point") == "message")
    assert next(f["value"] for f in record["facts"] if f["filter"] == "relay") == "auth"


def test_the_login_ends_with_its_session_of_the_backend(start, certificate):
    """The backend's session is gone, and with it the login: 4yz, not another session without."""
    backend = start.scripted(users={USER: SECRET}, idle=1)
    ports, configuration = fronts(certificate)
    start.postern(configuration, backend=backend)
    with connect(ports["implicit"], "implicit", timeout=10) as client:
        assert client.command(f"AUTH PLAIN {plain()}").code == 235
        backend.idle = 30
        time.sleep(1.5)
        reply = client.mail(USER, "x@example.net", message("x"))
        assert 400 <= reply.code <= 499
    assert backend.mails == []


def test_switched_off(start, certificate):
    backend = start.scripted(users={USER: SECRET})
    ports, configuration = fronts(certificate, auth="off")
    start.postern(configuration, backend=backend)
    with connect(ports["implicit"], "implicit") as client:
        assert "AUTH" not in client.extensions
        assert client.command(f"AUTH PLAIN {plain()}").code in (502, 504)


def test_allowed_without_tls(start, certificate):
    backend = start.scripted(users={USER: SECRET})
    ports, configuration = fronts(certificate, auth_without_tls=True)
    start.postern(configuration, backend=backend)
    with connect(ports["plain"]) as client:
        assert client.command(f"AUTH PLAIN {plain()}").code == 235


def test_backend_without_auth(start, certificate):
    ports, configuration = fronts(certificate)
    start.postern(configuration, backend=start.scripted())
    with connect(ports["implicit"], "implicit") as client:
        assert "AUTH" not in client.extensions
        assert client.command(f"AUTH PLAIN {plain()}").code in (502, 504)
