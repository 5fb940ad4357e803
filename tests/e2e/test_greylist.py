"""Greylisting: a mail that comes again passes, from wherever its organisation sends."""

import time

import pytest

from kit.smtp import Smtp, message


def zones():
    """Two servers of one sender in different networks, and a line of a provider."""
    reverse = {"127.0.1.5": "out1.mail.example.org", "127.0.2.6": "out2.example.org",
               "127.0.3.7": "127-0-3-7.dyn.example.net"}
    names = "\n".join(f"{name}. A {ip}" for ip, name in reverse.items())
    pointers = "\n".join(f"{'.'.join(reversed(ip.split('.')))}.in-addr.arpa. PTR {name}."
                         for ip, name in reverse.items())
    return names + "\n" + pointers


@pytest.fixture(scope="module")
def names(start_module):
    return start_module.nsd({".": "$ORIGIN .\n$TTL 60\n. SOA ns. root. 1 60 60 60 60\n. NS ns.\n"
                                  "ns. A 127.0.0.1\n" + zones()})


@pytest.fixture
def postern(start, backend, names):
    return start.postern({
        "filters": {"greylist": {"delay": "2s", "retry": "60s"}}, "workers": 2,
        "policy": [{"include": "defaults/policy.yaml"}],
    }, backend=backend, dns=names)


def attempt(postern, source="127.0.3.7", sender="a@example.org", recipient="c@example.com"):
    with Smtp(postern.port, source=source) as client:
        client.greet()
        client.command(f"MAIL FROM:<{sender}>")
        return client.command(f"RCPT TO:<{recipient}>")


def facts(postern, value):
    return postern.wait_log(lambda line: any(
        fact["filter"] == "greylist" and fact["value"] == value
        for fact in line.get("facts", [])))


def test_a_mail_that_comes_again(postern, backend, token):
    first = attempt(postern)
    assert first.code == 451 and first.enhanced == "4.7.1" and "first time" in first.text
    time.sleep(0.5)
    assert attempt(postern).code == 451
    facts(postern, "too_early")
    assert attempt(postern, recipient="d@example.com").code == 451
    time.sleep(2)
    with Smtp(postern.port, source="127.0.3.7") as client:
        client.greet()
        assert client.mail("a@example.org", "c@example.com", message(token)).code == 250
    backend.inbox.wait(token)
    assert attempt(postern).code == 250


def test_from_another_server_of_the_sender(postern):
    assert attempt(postern, "127.0.1.5").code == 451
    time.sleep(2.5)
    assert attempt(postern, "127.0.2.6", "A@Example.org").code == 250
    assert attempt(postern, "127.0.3.7").code == 451  # a line of a provider is its own


def test_kept_over_a_restart(postern):
    assert attempt(postern).code == 451
    time.sleep(2.5)
    postern.stop()
    postern.start()
    assert attempt(postern).code == 250
    time.sleep(0.5)
    postern.stop()
    postern.start()
    assert attempt(postern).code == 250


def test_who_is_not_asked_to_come_again(start, backend, names):
    postern = start.postern({
        "filters": {"greylist": {}, "ip_list": {"allow": ["127.0.1.5"]}},
        "relay": {"domains": ["example.com"], "networks": ["127.0.2.6"]},
        "policy": [{"include": "defaults/policy.yaml"}]}, backend=backend, dns=names)
    assert attempt(postern, "127.0.1.5").code == 250
    away = attempt(postern, "127.0.2.6", recipient="c@elsewhere.example")
    assert away.code != 451  # what the mail server says, who relays it or not
    assert attempt(postern, "127.0.3.7", sender="").code == 250
    assert attempt(postern, "127.0.3.7").code == 451


def test_without_a_store_mail_passes(start, backend, names):
    postern = start.postern({
        "filters": {"greylist": {}}, "state_dir": "/proc/nowhere",
        "policy": [{"include": "defaults/policy.yaml"}]}, backend=backend, dns=names)
    assert attempt(postern).code == 250


def test_off_by_default(start, backend, names):
    postern = start.postern({"policy": [{"include": "defaults/policy.yaml"}]}, backend=backend,
                            dns=names)
    assert attempt(postern).code == 250
