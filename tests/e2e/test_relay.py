"""Never an open relay, whatever the backend would do with mail that comes from our address."""

import pytest

from kit.smtp import connect, message

FOREIGN = "127.0.0.77"  # the backend trusts it as well; postern does not

# Ways to write a recipient that is not ours so that a careless program takes it
FORMS = [
    "x@example.net", "x%example.net@example.com", "x@example.net@example.com",
    "\"x@example.net\"@example.com", "@example.com:x@example.net",
    "@example.net,@example.com:x@example.org", "example.net!x@example.com", "x", "\"x@example.net\"",
    "x@[127.0.0.1]", "x@[IPv6:::1]", "x@127.0.0.1", "x@example.com.", "x@example.com.example.net",
    "x@sub.example.com", "x@notexample.com", "x@localhost", "x@example.com%00.example.net", "x@",
    "x@example.net\t@example.com", "x%example.net@", "\"x%example.net\"@example.com",
]


@pytest.fixture(scope="module")
def open_backend(start_module):
    """It relays for loopback, as backends do for a gateway's address."""
    backend = start_module.postfix(settings={"default_transport": "discard:",
                                             "relay_transport": "discard:"})
    with connect(backend.port, source=FOREIGN) as client:
        assert client.envelope("a@example.org", "x@example.net")[-1].code == 250
    return backend


@pytest.fixture(scope="module")
def program(start_module, open_backend):
    return start_module.postern({
        "policy": [{"name": "friends", "when": {"ip_list": "allow"}, "do": "accept"},
                   {"name": "anybody", "do": "accept"}],
        "filters": {"ip_list": {"allow": [FOREIGN]}},
        "relay": {"domains": ["example.com", ".example.edu"], "networks": ["127.0.0.88"]},
        "limits": {"errors": 100, "refusals": 1000},
    }, backend=open_backend)


def recipients_of(backend):
    return [line for line in backend.log_text().splitlines() if "to=<" in line]


@pytest.mark.parametrize("form", FORMS)
def test_forms_are_refused(program, open_backend, form):
    before = open_backend.log_text().count("client=")
    with connect(program.port, source=FOREIGN) as client:
        for sender in ("", "a@example.com", "a@example.org"):
            client.command(f"MAIL FROM:<{sender}>")
            reply = client.command(f"RCPT TO:<{form}>")
            assert reply.code in (501, 550, 553, 555), reply
            if reply.code == 550:
                assert reply.enhanced == "5.7.1" and "(case " in reply.text
            assert client.command("DATA").code == 554
            client.command("RSET")
    # The backend's queue has not even begun a transaction.
    assert open_backend.log_text().count("client=") == before


def test_own_domains(program, open_backend, token):
    with connect(program.port, source=FOREIGN) as client:
        replies = client.envelope("a@example.org", "c@example.com", "c@EXAMPLE.com",
                                  "c@sub.example.edu", "c@example.edu", "x@example.net")
        assert [reply.code for reply in replies] == [250, 250, 250, 250, 550, 550]
        assert client.data(message(token)).code == 250
    open_backend.inbox.wait(token)
    assert not any("x@example.net" in line for line in recipients_of(open_backend))


def test_networks_may_send_anywhere(program):
    with connect(program.port, source="127.0.0.88") as client:
        assert client.envelope("a@example.com", "x@example.net")[-1].code == 250
        assert client.data(message("x")).code == 250
    record = program.wait_log(lambda line: line.get("recipients") == ["x@example.net"]
                              and line["client"]["ip"] == "127.0.0.88")
    assert next(fact["value"] for fact in record["facts"] if fact["filter"] == "relay") == "network"


def test_shadow_mode_does_not_open(start, open_backend):
    program = start.postern({"mode": "shadow", "policy": [{"name": "any", "do": "accept"}]},
                            backend=open_backend)
    with connect(program.port) as client:
        assert client.envelope("a@example.org", "x@example.net")[-1].code == 550


@pytest.mark.parametrize("relay", [None, {"domains": []}, {"networks": []}])
def test_nothing_configured_nothing_relayed(start, open_backend, relay):
    program = start.postern({"relay": relay}, backend=open_backend)
    with connect(program.port) as client:
        for to in ("c@example.com", "x@example.net", "postmaster"):
            assert client.envelope("a@example.org", to)[-1].code == 550
            client.command("RSET")


def test_redirect_is_no_relay(start, open_backend):
    """A recipient that is not ours stays refused, though the rule would send it elsewhere."""
    program = start.postern(
        {"policy": [{"name": "all", "do": "redirect", "to": "c@example.com"}]},
        backend=open_backend)
    with connect(program.port) as client:
        assert client.envelope("a@example.org", "x@example.net")[-1].code == 550
