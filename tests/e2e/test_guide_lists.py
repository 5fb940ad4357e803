"""docs/guide-lists.md, followed: its configurations, and its own lists with rbldnsd and unbound."""

import re

import pytest

from kit.postern import SOURCE
from kit.process import free_port
from kit.smtp import Smtp, message

GUIDE = (SOURCE / "docs" / "guide-lists.md").read_text()
LEAST = """\
hostname: mx.example.com
user: nobody
run_dir: {folder}/run
state_dir: {folder}/state
listen: [ { address: "127.0.0.1:{port}", tls: off } ]
backend: { servers: [ "127.0.0.1:{backend}" ] }
relay: { domains: [ example.com ] }
"""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.S)


@pytest.mark.parametrize("number", range(len(blocks("yaml"))))
def test_configurations_are_good(start, number, monkeypatch):
    monkeypatch.setenv("DQS_KEY", "abc")
    postern = start.postern(LEAST)
    postern.stop()
    postern.configure(LEAST + blocks("yaml")[number])
    status, out, err = postern.command("check")
    assert status == 0, err


def test_list_of_ones_own(start, backend):
    port = free_port()
    conf, = blocks("conf")
    text = blocks("text")[0]
    stub = re.search(r'name: "(.*)"\n +stub-addr: 127.0.0.1@5300', conf)[1]
    lists = start.rbldnsd({"bl.example.com": text}, port=port)
    assert stub == "bl.example.com"
    names = start.unbound(start.nsd({}), forwards={stub: lists.port})
    ours = next(block for block in blocks("yaml") if "id: ours" in block)
    postern = start.postern(
        LEAST + ours + f'dns: {{ servers: [ "127.0.0.1:{names.port}" ] }}\n'
        "log: { target: stderr, format: json, level: info }\n", backend=backend)
    with Smtp(postern.port) as client:
        client.greet()
        assert client.envelope("a@example.org", "c@example.com")[-1].code == 250
    lists.change({"bl.example.com": text + "127.0.0.77 :127.0.0.3:\n"})
    with Smtp(postern.port, source="127.0.0.77") as client:
        client.greet()
        assert client.envelope("a@example.org", "c@example.com")[-1].code == 550


def test_list_of_domains_of_ones_own(start, backend):
    text = blocks("text")[1]
    ours = [block for block in blocks("yaml") if "id: ours" in block][1]
    zone = re.search(r"zone: (\S+)", ours)[1]
    lists = start.rbldnsd({zone: ("dnset", text)})
    postern = start.postern(
        LEAST + ours + f'dns: {{ servers: [ "127.0.0.1:{lists.port}" ] }}\n'
        "log: { target: stderr, format: json, level: info }\n", backend=backend)
    for number, (host, code) in enumerate({
            "www.evil.example.com": 550, "203.0.113.7": 550, "0xcb007107": 550,
            "203.0.113.8": 250, "good.example.com": 250}.items()):
        with Smtp(postern.port) as client:
            client.greet()
            reply = client.mail("a@example.org", "c@example.com", message(f"n{number}", f"http://{host}/"))
            assert reply.code == code, host
