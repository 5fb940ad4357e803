"""
reload.py PROGRAM: a block list of a million networks has changed and postern reads it again: how
long that takes, and how long the longest wait was meanwhile of a session in the middle of a mail,
which asks NOOP all the time; beside it the longest wait within the same time without a reload. And
how long it is until the new list counts.
"""

import argparse
import random
import sys
import threading
import time

from stage import Stage

sys.dont_write_bytecode = True

from kit.scripted import Scripted    # noqa: E402
from kit.smtp import Smtp            # noqa: E402

AIM = 0.020  # seconds: the longest wait of a session
RULE = {"name": "blocked", "when": {"ip_list": "block"}, "do": "reject", "speak": "at_once"}


def networks(count):
    chance = random.Random(1)
    for _ in range(count):
        address = chance.getrandbits(32)
        bits = chance.choice((32, 32, 32, 24))
        address &= ~((1 << (32 - bits)) - 1)
        first = address >> 24
        if first not in (0, 127):  # ours come from there
            yield f"{first}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}/{bits}\n"


class Waits(threading.Thread):
    """Of NOOP after NOOP, until told to stop."""

    def __init__(self, client):
        super().__init__()
        self.client, self.all, self.is_over = client, [], False

    def run(self):
        while not self.is_over:
            began = time.monotonic()
            self.client.send(b"NOOP\r\n")
            assert self.client.reply().code == 250
            self.all.append(time.monotonic() - began)
            time.sleep(0.0005)

    def longest(self):
        self.is_over = True
        self.join()
        waits = sorted(self.all)
        return waits[-1], waits[len(waits) * 999 // 1000], len(waits)


def session(postern):
    client = Smtp(postern.port, timeout=60)
    client.greet()
    assert client.command("MAIL FROM:<a@example.org>").code == 250
    return client


def measure(postern, action):
    """(seconds of the action, its result, longest wait, 99.9th percentile, count)"""
    waits = Waits(session(postern))
    waits.start()
    began = time.monotonic()
    result = action()
    took = time.monotonic() - began
    return (took, result, *waits.longest())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", nargs="?", default="./postern")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    count = 100000 if options.quick else 1000000
    with Stage(options.program) as stage:
        backend = Scripted().start()
        postern = stage.postern(backend, filters={}, policy=[RULE])
        block = postern.folder / "block.txt"
        block.write_text("".join(networks(count)))
        postern.configure({"workers": 1, "policy": [RULE], "log": {"target": "stderr"},
                           "backend": {"servers": [f"127.0.0.1:{backend.port}"], "tls": "off"},
                           "filters": {"ip_list": {"block": {"file": "block.txt"}}}})
        first = measure(postern, lambda: postern.command("reload"))
        quiet = measure(postern, lambda: time.sleep(first[0]))
        with block.open("a") as file:
            file.write("127.0.0.66\n")
        again = measure(postern, lambda: postern.command("reload"))
        with Smtp(postern.port, source="127.0.0.66") as client:
            assert client.reply().code == 554
        backend.stop()
    print(f"{'':24} {'took, s':>8} {'longest wait, ms':>17} {'99.9 %, ms':>11} {'of':>7}")
    for title, row in (("nothing", quiet), (f"{count} networks", first), ("once more", again)):
        print(f"{title:24} {row[0]:8.2f} {row[2] * 1e3:17.1f} {row[3] * 1e3:11.2f} {row[4]:7}")
    longest = max(first[2], again[2])
    print(f"a session waits for {longest * 1e3:.1f} ms at most: "
          f"{'within' if longest < AIM else 'OVER'} the aim of {AIM * 1e3:.0f} ms")


main()
