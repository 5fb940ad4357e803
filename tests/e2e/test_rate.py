"""Limits over windows, counted by all workers together."""

import time

import pytest

from kit.smtp import Smtp

LIMITS = [{"name": "visits", "key": "client", "count": "connections", "most": 10, "within": "1h"},
          {"name": "named", "key": "sender_domain", "count": "recipients", "most": 5,
           "within": "1h"},
          {"name": "short", "key": "client", "count": "messages", "most": 2, "within": "1s"}]


def configuration(*policy, workers=1):
    return {"filters": {"rate": {"limits": LIMITS}}, "policy": list(policy), "workers": workers}


def test_connections_over_all_workers(start):
    """Sixteen connections, to whichever of four workers: the first ten are let in."""
    postern = start.postern(configuration(
        {"name": "often", "when": {"rate.visits": "over"}, "do": "defer", "speak": "at_once"},
        workers=4))
    codes = []
    for _ in range(16):
        with Smtp(postern.port, source="127.0.0.5") as client:
            codes.append(client.reply().code)
    assert codes == [220] * 10 + [421] * 6
    with Smtp(postern.port, source="127.0.0.6") as client:
        assert client.reply().code == 220
    assert postern.command("reload")[0] == 0  # counts outlast a reload
    with Smtp(postern.port, source="127.0.0.5") as client:
        assert client.reply().code == 421


def test_recipients_of_a_domain(start, backend):
    postern = start.postern(configuration(
        {"name": "many", "when": {"rate.named": "over"}, "do": "defer",
         "text": "4.7.1 slow down"}), backend=backend)
    codes = []
    for number in range(7):
        with Smtp(postern.port, source=f"127.0.0.{10 + number}") as client:
            client.greet()
            client.command(f"MAIL FROM:<a{number}@Example.ORG>")
            codes.append(client.command("RCPT TO:<c@example.com>").code)
    assert codes == [250] * 5 + [451] * 2
    record = postern.wait_log(lambda line: line.get("point") == "rcpt")
    fact, = (fact for fact in record["facts"] if fact["key"] == "named")
    assert fact["detail"] == "6 of 5 recipients within 3600s by example.org"
    with Smtp(postern.port) as client:
        client.greet()
        client.command("MAIL FROM:<a@example.net>")
        assert client.command("RCPT TO:<c@example.com>").code == 250


@pytest.mark.parametrize("pause", [0, 2.1])
def test_a_window_passes(start, backend, pause):
    postern = start.postern(configuration(
        {"name": "fast", "when": {"rate.short": "over"}, "do": "defer"}), backend=backend)
    codes = []
    with Smtp(postern.port, source="127.0.0.5") as client:
        client.greet()
        for number in range(6):
            if number == 5:
                time.sleep(pause)
            client.command("MAIL FROM:<a@example.org>")
            codes.append(client.command("RCPT TO:<c@example.com>").code)
            client.command("RSET")
    assert codes[-1] == (250 if pause else 451)
    assert codes[:2] == [250, 250]
