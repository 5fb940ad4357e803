"""Killed at any instant: what a client was told is accepted is with the backend."""

import collections
import contextlib
import hashlib
import os
import random
import signal
import threading
import time

import pytest

from kit.smtp import connect
from kit.process import free_port

MESSAGES, CLIENTS, PER_SESSION, SECONDS = 1000, 8, 10, 45  # of each delivery
ACCEPTED, REFUSED, UNKNOWN = "accepted", "refused", "unknown"


class Clients:
    """Threads that send numbered messages; what each attempt came to is noted by its hash."""

    def __init__(self, port, count, deadline):
        self.port, self.deadline = port, deadline
        self.numbers = iter(range(count))
        self.lock = threading.Lock()
        self.outcomes = collections.defaultdict(list)
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    @property
    def is_over(self):
        return not any(thread.is_alive() for thread in self.threads)

    def _run(self):
        with self.lock:
            number = next(self.numbers, None)
        while number is not None and time.monotonic() < self.deadline:
            try:
                with connect(self.port, timeout=10) as client:
                    for _ in range(PER_SESSION):
                        if not self._send(client, number):
                            break
                        with self.lock:
                            number = next(self.numbers, None)
                        if number is None:
                            return
            except (OSError, EOFError, ValueError):
                time.sleep(0.05)

    def _send(self, client, number):
        """True: the message is done with. An attempt whose answer was not heard counts, too."""
        filler = f"message {number} ".encode() * (1 + number * 7 % 400)
        text = b"Subject: %d\r\n\r\n%b\r\n" % (number, b"\r\n".join(
            filler[i:i + 70] for i in range(0, len(filler), 70)))
        if client.envelope("a@example.org", "c@example.com")[-1].code != 250:
            client.command("RSET")
            return False
        if client.command("DATA").code != 354:
            return False
        outcomes = self.outcomes[hashlib.sha256(text).hexdigest()]
        outcomes.append(UNKNOWN)
        client.send(text[:number % 50])
        time.sleep(number % 10 / 1000)
        client.send(text[number % 50:] + b".\r\n")
        outcomes[-1] = ACCEPTED if client.reply().code == 250 else REFUSED
        return outcomes[-1] == ACCEPTED


def kill_worker(program, chance):
    with contextlib.suppress(ProcessLookupError, IndexError):
        os.kill(chance.choice(program.children()), signal.SIGKILL)


def restart(program, whole):
    """The master alone dies, or all at once; as a supervisor would, until the port is free again."""
    if whole:
        os.killpg(program.pid, signal.SIGKILL)
    else:
        os.kill(program.pid, signal.SIGKILL)
    program.child.wait()
    for _ in range(100):
        try:
            return program.start()
        except RuntimeError:
            time.sleep(0.05)
    raise AssertionError("it does not start again")


def kill_at_random(program, chance, clients):
    """
    Until all messages are accepted; how often. A worker that dies again and again is replaced after
    longer and longer pauses, until its master is a new one: so every third time is that.
    """
    kills = 0
    while not clients.is_over:
        time.sleep(chance.uniform(0, 0.25))
        kills += 1
        if kills % 3:
            kill_worker(program, chance)
        else:
            restart(program, chance.random() < 0.5)
    for thread in clients.threads:
        thread.join()
    return kills


@pytest.mark.seconds(75)
@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_nothing_accepted_is_lost(start, delivery):
    backend, port = start.scripted(), free_port()
    program = start.postern(
        {"delivery": delivery, "workers": 2, "limits": {"sessions_per_client": 1000}},
        backend=backend, port=port)
    chance = random.Random(f"postern-{delivery}")
    clients = Clients(port, MESSAGES, time.monotonic() + SECONDS)
    kills = kill_at_random(program, chance, clients)
    there = collections.Counter(
        hashlib.sha256(mail.message).hexdigest() for mail in backend.accepted())
    assert kills > 5 and len(clients.outcomes) == MESSAGES
    for digest, outcomes in clients.outcomes.items():
        accepted = outcomes.count(ACCEPTED)
        assert accepted == 1, outcomes
        assert accepted <= there[digest] <= accepted + outcomes.count(UNKNOWN), outcomes
    assert set(there) <= set(clients.outcomes)
    assert any(UNKNOWN in outcomes for outcomes in clients.outcomes.values())


@pytest.mark.seconds(60)
def test_with_postfix(start, token):
    """The same with few messages, and Postfix' own words for what it has."""
    backend, port = start.postfix(), free_port()
    program = start.postern({"workers": 2, "limits": {"sessions_per_client": 1000}},
                            backend=backend, port=port)
    chance = random.Random("postfix")
    clients = Clients(port, 300, time.monotonic() + 30)
    kill_at_random(program, chance, clients)
    accepted = [digest for digest, outcomes in clients.outcomes.items() if ACCEPTED in outcomes]
    assert len(accepted) == 300
    copies = backend.inbox.wait(b"Subject: ", 300)
    there = collections.Counter(hashlib.sha256(
        copy.raw[copy.raw.index(b"\nSubject: ") + 1:].replace(b"\n", b"\r\n")).hexdigest()
        for copy in copies)
    assert set(accepted) <= set(there)
