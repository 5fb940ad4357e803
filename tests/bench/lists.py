"""
lists.py PROGRAM: how long DNS lists hold a client up, from connect() to the reply to its first RCPT:
none, one and eight lists, answering at once and 50 ms late, and one of eight late. Each client comes
from an address of its own, so nothing is known of it. Medians, in milliseconds; what the lists add is
that less the figure without lists, and is to be the time of the slowest, not the sum.
"""

import argparse
import statistics
import sys
import time

from stage import Stage

sys.dont_write_bytecode = True

from kit.rbldnsd import RuleServer   # noqa: E402
from kit.scripted import Scripted    # noqa: E402
from kit.smtp import Smtp            # noqa: E402

LATE = 0.05


class SlowServer(RuleServer):
    """Late for the lists that are named."""

    def __init__(self, late):
        super().__init__(self._rule)
        self.late = late

    @staticmethod
    def _rule(name, query):
        return ["127.0.0.2"] if name.startswith("2.0.0.127.") else "nxdomain"

    def _answer(self, query):
        answer = super()._answer(query)
        self.delay = LATE if self.names[-1].split(".")[-2] in self.late else 0.0
        return answer

    def kill(self):
        self.stop()


def rounds(postern, first, count):
    took = []
    for number in range(first, first + count):
        source = f"127.60.{number // 250}.{number % 250 + 1}"
        began = time.monotonic()
        with Smtp(postern.port, source=source) as client:
            client.greet()
            replies = client.envelope("a@example.org", "c@example.com")
            took.append((time.monotonic() - began) * 1e3)
        assert [reply.code for reply in replies] == [250, 250], replies
    return statistics.median(took)


def measure(stage, backend, lists, late, count):
    server = stage.start(SlowServer({f"l{number}" for number in range(late)}))
    names = [f"l{number}" for number in range(lists)]
    dnsbl = {"dnsbl": {"lists": [{"id": name, "zone": f"{name}.test"} for name in names]}}
    policy = [{"name": name, "when": {f"dnsbl.{name}": "listed"}, "do": "reject"} for name in names]
    postern = stage.postern(backend, filters=dnsbl if lists else {}, policy=policy,
                            dns={"servers": [f"127.0.0.1:{server.port}"]})
    rounds(postern, 0, 3)
    return rounds(postern, 10, count)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", nargs="?", default="./postern")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    count = 10 if options.quick else 40
    with Stage(options.program) as stage:
        backend = Scripted().start()
        rows = [(lists, late, measure(stage, backend, lists, late, count))
                for lists, late in ((0, 0), (1, 0), (8, 0), (1, 1), (8, 1), (8, 8))]
        backend.stop()
    without = rows[0][2]
    print(f"{'lists':>6} {'late by 50 ms':>14} {'until RCPT, ms':>15} {'added, ms':>10}")
    for lists, late, took in rows:
        print(f"{lists:6} {late:14} {took:15.1f} {took - without:10.1f}")
    added = rows[-1][2] - without
    print(f"eight late lists add {added:.1f} ms: "
          f"{'the time of the slowest' if added < 2 * LATE * 1e3 else 'MORE than the slowest'}")


main()
