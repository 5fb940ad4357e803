"""Reloading and ending: a running session and a good configuration survive everything."""

import contextlib
import json
import os
import signal
import socket
import threading
import time

import pytest

from kit.process import free_port, is_listening, wait_until
from kit.smtp import Smtp, connect, message


def is_taken(port, to, **options):
    """Asks again, where the session belongs to a worker that is ending."""
    for _ in range(20):
        with contextlib.suppress(EOFError, ConnectionError), connect(port, **options) as client:
            reply = client.envelope("a@example.org", to)[-1]
            if reply.code != 421:
                return reply.code == 250
    raise AssertionError("every session ends")


def relaying(*domains, **more):
    return {"relay": {"domains": list(domains)}, **more}


# Reload

@pytest.mark.parametrize("how", ["SIGHUP", "command"])
def test_new_configuration(start, how):
    backend = start.scripted()
    postern = start.postern(relaying("example.com"), backend=backend)
    with connect(postern.port) as old:
        old.command("MAIL FROM:<a@example.org>")
        assert old.command("RCPT TO:<c@example.com>").code == 250
        postern.configure(relaying("example.net"))
        if how == "SIGHUP":
            postern.send_signal(signal.SIGHUP)
        else:
            status, said, _ = postern.command("reload")
            assert status == 0 and "new configuration is in force" in said
        wait_until(lambda: is_taken(postern.port, "c@example.net"))
        assert not is_taken(postern.port, "c@example.com")
        # The old session goes on as it began, until its transaction is over.
        assert old.command("RCPT TO:<d@example.com>").code == 250
        assert old.command("RCPT TO:<d@example.net>").code == 550
        assert old.data(message("old")).code == 250
        assert old.reply().code == 421 and old.is_ended()
    assert len(backend.mails) == 1 and len(backend.mails[0].recipients) == 2
    wait_until(lambda: len(postern.children()) == 1)
    assert json.loads(postern.command("status")[1])["reloads"] == 1


def test_idle_sessions_end_with_421(start):
    postern = start.postern(backend=start.scripted())
    with connect(postern.port) as idle:
        assert postern.command("reload")[0] == 0
        assert idle.reply().code == 421 and idle.is_ended()


def test_faulty_file_changes_nothing(start):
    postern = start.postern(backend=start.scripted())
    good = postern.file.read_text()
    with connect(postern.port) as client:
        postern.file.write_text(good.replace("delivery", "deliverz") +
                                "deliverx: hold\nlimits:\n  sessions: many\n")
        for line in ("deliverx", "sessions"):
            number = next(n for n, text in enumerate(postern.file.read_text().splitlines(), 1)
                          if line + ":" in text)
            status, _, said = postern.command("reload")
            assert status == 78
            assert f"{postern.file}:{number}:" in said and "stays as it was" in said
        assert "delivery" in said  # the nearest name
        postern.send_signal(signal.SIGHUP)
        wait_until(lambda: postern.text().count("stays as it was") == 3)
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
    assert is_taken(postern.port, "c@example.com")


def test_changed_list_is_noticed(start):
    blocked = "127.0.0.66"
    postern = start.postern({
        "filters": {"ip_list": {"block": [{"file": "block.txt"}]}},
        "policy": [{"name": "blocked", "when": {"ip_list": "block"}, "do": "reject"}],
    }, backend=start.scripted(), files={"block.txt": "192.0.2.1\n"})
    assert is_taken(postern.port, "c@example.com", source=blocked)
    list_ = postern.folder / "block.txt"
    list_.write_text("# of today\n192.0.2.1\n127.0.0.64/29\n")
    wait_until(lambda: not is_taken(postern.port, "c@example.com", source=blocked), 15)
    assert is_taken(postern.port, "c@example.com")
    # A list with a fault is reported once, and the one before stays in force.
    list_.write_text("127.0.0.64/29\nnobody\n")
    wait_until(lambda: f"{list_}:2:1" in postern.text(), 15)
    assert not is_taken(postern.port, "c@example.com", source=blocked)
    record = postern.wait_log(lambda line: line.get("verdict", {}).get("rule") == "blocked")
    fact = next(fact for fact in record["facts"] if fact["filter"] == "ip_list")
    assert fact["value"] == "block" and fact["detail"].endswith("block.txt:3")


def test_changed_certificate_is_noticed(start, authority):
    names = "mx.example.com", "127.0.0.1"
    folder = start.folder()
    cert, key = folder / "cert.pem", folder / "key.pem"

    def install():
        pair = authority.issue(*names, kind="ecdsa")
        key.write_bytes(pair.key.read_bytes())
        cert.write_bytes(pair.cert.read_bytes())

    install()
    port = free_port()
    postern = start.postern({
        "listen": [{"address": f"127.0.0.1:{port}", "tls": "implicit"}],
        "tls": {"certificates": [{"cert": str(cert), "key": str(key)}]}}, backend=start.scripted())

    def seen():
        with Smtp(port) as client:
            client.tls(authority, "mx.example.com")
            return client.socket.getpeercert(True)
    before = seen()
    install()
    assert postern.command("reload")[0] == 0
    wait_until(lambda: seen() != before)


def test_other_listeners(start):
    postern = start.postern(backend=start.scripted())
    more = free_port()
    rows = [{"address": f"127.0.0.1:{port}", "tls": "off"} for port in (postern.port, more)]
    postern.configure({"listen": rows})
    assert postern.command("reload")[0] == 0
    assert is_taken(more, "c@example.com") and is_taken(postern.port, "c@example.com")
    postern.configure({"listen": rows[1:]})
    assert postern.command("reload")[0] == 0
    wait_until(lambda: not is_listening(postern.port))
    assert is_taken(more, "c@example.com")


def test_address_in_use_changes_nothing(start):
    postern = start.postern(backend=start.scripted())
    with socket.create_server(("127.0.0.1", free_port())) as other:
        postern.configure({"listen": [{"address": f"127.0.0.1:{port}", "tls": "off"}
                                      for port in (postern.port, other.getsockname()[1])]})
        status, _, said = postern.command("reload")
    assert status == 78 and "Address already in use" in said
    assert is_taken(postern.port, "c@example.com")


@pytest.mark.parametrize("workers", [1, 2])
def test_no_connection_is_refused_meanwhile(start, workers):
    """New sessions all the while, six reloads: each one is greeted."""
    backend = start.scripted()
    limits = {"workers": workers, "limits": {"sessions_per_client": 1000}}
    postern = start.postern(limits, backend=backend)
    faults, count, over = [], [0], threading.Event()

    def knock():
        while not over.is_set():
            try:
                with Smtp(postern.port) as client:
                    code = client.reply().code
                    if code not in (220, 421):
                        faults.append(code)
                    count[0] += 1
            except (OSError, EOFError) as fault:
                faults.append(fault)
    threads = [threading.Thread(target=knock) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(6):
        time.sleep(0.2)
        assert postern.command("reload")[0] == 0
    over.set()
    for thread in threads:
        thread.join()
    assert faults == [] and count[0] > 20


# Ending

@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_message_under_way_is_finished(start, delivery):
    backend = start.scripted()
    postern = start.postern({"delivery": delivery}, backend=backend)
    text = message("x")
    with connect(postern.port) as client:
        client.envelope("a@example.org", "c@example.com")
        assert client.command("DATA").code == 354
        client.send(text[:30])
        postern.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(postern.port))
        time.sleep(0.3)
        client.send(text[30:] + b".\r\n")
        assert client.reply().code == 250
        assert client.reply().code == 421 and client.is_ended()
    assert postern.stop() == 0
    assert [mail.message for mail in backend.mails] == [text]


def test_all_are_told_to_end_twice(start):
    """As a supervisor does that tells each process: the message is finished all the same."""
    backend = start.scripted()
    postern = start.postern(backend=backend)
    with connect(postern.port) as client:
        client.envelope("a@example.org", "c@example.com")
        assert client.command("DATA").code == 354
        for _ in range(2):
            os.killpg(postern.pid, signal.SIGTERM)
            time.sleep(0.2)
        client.send(message("x") + b".\r\n")
        assert client.reply().code == 250
    assert postern.stop() == 0
    assert len(backend.accepted()) == 1


def test_client_that_leaves_does_not_hold_up_the_end(start):
    postern = start.postern(backend=start.scripted())
    with connect(postern.port) as client:
        client.envelope("a@example.org", "c@example.com")
        client.command("DATA")
        postern.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert postern.child.poll() is None
    assert postern.stop() == 0


def test_worker_is_replaced(start):
    postern = start.postern(backend=start.scripted())
    worker, = postern.children()
    with connect(postern.port) as client:
        os.kill(worker, signal.SIGKILL)
        with contextlib.suppress(ConnectionError):
            assert client.is_ended()
    assert is_taken(postern.port, "c@example.com")
    assert postern.children() != [worker]
    line = postern.wait_log(lambda line: "was ended by signal 9" in line.get("message", ""))
    assert line["level"] == "error" and str(worker) in line["message"]
    state = json.loads(postern.command("status")[1])
    assert state["crashes"] == 1 and state["workers"] == 1 and state["sessions"] == 0


def test_workers_share_the_sessions(start):
    postern = start.postern({"workers": 2, "limits": {"sessions_per_client": 100}},
                            backend=start.scripted())
    wait_until(lambda: len(postern.children()) == 2)
    clients = [connect(postern.port) for _ in range(30)]
    assert json.loads(postern.command("status")[1])["sessions"] == 30
    for client in clients:
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
        client.quit()
    wait_until(lambda: json.loads(postern.command("status")[1])["sessions"] == 0)
    assert json.loads(postern.command("status")[1])["messages_accepted"] == 30


def test_workers_end_with_their_master(start):
    postern = start.postern({"workers": 2}, backend=start.scripted())
    workers = postern.children()
    os.kill(postern.pid, signal.SIGKILL)
    wait_until(lambda: not is_listening(postern.port))
    for worker in workers:
        wait_until(lambda: os.waitpid(worker, os.WNOHANG)[0] == worker)
    postern.kill()


def test_workers_are_the_configured_user(start):
    if os.geteuid() != 0:
        pytest.skip("not root")
    postern = start.postern(backend=start.scripted())
    worker, = postern.children()
    for _ in range(100):                       # it listens before its workers are who they will be
        status = open(f"/proc/{worker}/status").read()
        if "NoNewPrivs:\t1" in status:
            break
        time.sleep(0.05)
    assert "Uid:\t65534\t65534\t65534\t65534" in status and "NoNewPrivs:\t1" in status
    assert "Groups:\t65534" in status or "Groups:\t\n" in status
