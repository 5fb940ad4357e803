"""The conformance vectors, played in front of the program and behind it."""

import concurrent.futures
import json
import re
import subprocess
import sys

import pytest

from kit.process import free_port

COMMON = "commands,relay,smuggling,starttls"
SHORT = {"command": "3s", "data": "3s", "tls": "3s", "connect": "2s", "greeting": "5s",
         "envelope": "5s", "data_start": "5s", "data_block": "3s", "data_end": "5s"}


class Player:
    """Plays kinds of vectors with one profile of a backend; play() gives the faults by id."""

    def __init__(self, start, vectors, certificate, profile, delivery, backend_tls, **keys):
        self.program = vectors.parent / "tools" / "smtp_vectors.py"
        if not self.program.is_file():
            pytest.skip(f"no player of vectors at {self.program}")
        self.vectors, self.profile, self.backend_tls = vectors, profile, backend_tls
        self.backend = free_port()
        self.results = start.folder("vectors") / "results.json"
        words = {"off": "off", "may": "opportunistic", "must": "required"}
        self.postern = start.postern({
            "listen": [{"address": "127.0.0.1:{}".format(port := free_port()), "tls": "starttls"}],
            "tls": {"certificates": [{"cert": str(certificate.cert), "key": str(certificate.key)}]},
            "backend": {"servers": [f"127.0.0.1:{self.backend}"], "tls": words[backend_tls],
                        "retry": "0s"},
            "relay": {"domains": ["example.com"]},
            "delivery": delivery,
            "limits": {"sessions_per_client": 1000},
            **keys,
        })
        self.port = port

    def _run(self, kinds, *options):
        done = subprocess.run([
            sys.executable, str(self.program), f"127.0.0.1:{self.port}", "--ready", "--failures",
            "--backend", f"127.0.0.1:{self.backend}", "--vectors", str(self.vectors / "smtp"),
            "--kinds", kinds, "--jobs", "16", "--profile", self.profile, "--backend-tls", self.backend_tls,
            "--json", str(self.results), *options], capture_output=True, text=True, timeout=170)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        found = json.loads(self.results.read_text())
        faults = {name: row for name, row in found.items() if row["state"] == "FAIL"}
        return found, faults, done.stdout

    def play(self, kinds, *options):
        """
        Nothing may fail. But the player notes its backend's final answer after it has sent it, so
        it sometimes misses that a quick answer was right: such a one is played again, twice.
        """
        found, faults, said = self._run(kinds, *options)
        for _ in range(2):
            assert not self.real(faults), said
            if not faults:
                break
            _, faults, said = self._run(",".join({row["kind"] for row in faults.values()}), *options,
                                        "--only", ",".join(faults))
        assert not faults, said
        return [row for row in found.values() if row["state"] != "skip"]

    @staticmethod
    def real(faults):
        race = re.compile("accepted without the backend's 250|the backend never said so")
        return {name: row for name, row in faults.items() if not race.search(row["why"])}


DELIVERIES = ("hold", "stream")


@pytest.fixture(scope="module")
def pool():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture(scope="module", autouse=True)
def replies(start_module, vectors, certificate, pool):
    """Replies are mostly waited for: they are played while the other vectors are."""
    slow = {"hold": ["--slow"], "stream": []}
    yield {delivery: pool.submit(
        Player(start_module, vectors, certificate, "full", delivery, "off", timeouts=SHORT).play,
        "replies", "--wait", "25", *slow[delivery]) for delivery in DELIVERIES}


@pytest.mark.seconds(150)
@pytest.mark.parametrize("profile, tls", [
    ("full", "may"), ("exchange", "must"), ("plain", "off"), ("bare", "off")])
def test_dialogue(start, vectors, certificate, pool, profile, tls):
    players = [Player(start, vectors, certificate, profile, delivery, tls)
               for delivery in DELIVERIES]
    for played in [pool.submit(player.play, COMMON) for player in players]:
        assert len(played.result()) > 100


@pytest.mark.seconds(180)
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_replies(replies, delivery):
    assert len(replies[delivery].result()) > 80
