"""
peers.py PROGRAM [--quick]: what a message of 5 KB costs in postern and in others that stand in
front of a mail server: HAProxy in TCP mode, nginx's mail proxy, Postfix with a before-queue
filter. All stand before the same smtp-sink and are measured in turn, A B C A B C, several times.
Prints the medians as a table, and whether postern's aims are met. Postern runs without a policy,
and with the shipped one and the filters ptr and ip_list (what is looked up is in its cache).

CPU is user and system time of all of a server's processes. The time of a message is counted from
connect() for one message a session, else from MAIL; what the server adds is that less the same of
smtp-sink alone. A busy machine makes all of it more: then the least is nearer to the truth.
"""

import argparse
import statistics
import time

from stage import Stage

CELLS = [(1, 1), (1, 10), (50, 1), (50, 10)]  # sessions, messages per session
AIM_HAPROXY = 1.5                             # times HAProxy's CPU time
AIM_ADDED = 0.5                               # milliseconds at one session

LONGEST = 180                                 # seconds after which no round is begun

POSTERN, FILTERS, HAPROXY, NGINX, POSTFIX = (
    "postern", "postern with filters", "HAProxy (TCP)", "nginx mail", "Postfix proxy_filter")
DIRECT = "(smtp-sink alone)"


class Figures:
    """Of one server in one cell: a list per kind, one item a round."""

    def __init__(self):
        self.cpu, self.rate, self.time, self.added = [], [], [], []

    def median(self, kind):
        return statistics.median(getattr(self, kind))


def count_for(stage, server, sessions, most):
    """As many messages as it takes in a second: one that waits would hold the others up."""
    seconds, _, _ = stage.load(server, 20 * sessions, sessions, 10)
    return max(40, min(most, int(20 * sessions / seconds)))


def measure(stage, server, meter, cell, messages, row):
    sessions, per_session = cell
    before = meter.seconds()
    seconds, first, following = stage.load(server, messages, sessions, per_session)
    time.sleep(0.02)  # the ends of the last sessions
    row.cpu.append((meter.seconds() - before) * 1e3 / messages)
    row.rate.append(messages / seconds)
    row.time.append(first if per_session == 1 else following)


def measure_all(stage, servers, meters, counts, rounds):
    """Each cell in turn, in it each server in turn, and each round begins with another one."""
    figures = {(name, cell): Figures() for name in servers for cell in CELLS}
    names = list(servers)
    begun = time.monotonic()
    for number in range(rounds):
        if time.monotonic() - begun > LONGEST:
            break
        for cell in CELLS:
            for name in names[number % len(names):] + names[:number % len(names)]:
                measure(stage, servers[name], meters[name], cell, counts[name, cell[0]],
                        figures[name, cell])
    for (name, cell), row in figures.items():
        row.added = [a - b for a, b in zip(row.time, figures[DIRECT, cell].time)]
    print(f"Messages of 5 KB, medians of {len(row.cpu)} rounds ({time.monotonic() - begun:.0f} s).\n")
    return figures


def print_table(names, figures):
    print("| sessions | messages each | server | CPU ms/message | least | messages/s "
          "| ms/message | added ms |")
    print("|---:|---:|---|---:|---:|---:|---:|---:|")
    for cell in CELLS:
        for name in names:
            row = figures[name, cell]
            print(f"| {cell[0]} | {cell[1]} | {name} | {row.median('cpu'):.3f} "
                  f"| {min(row.cpu):.3f} "
                  f"| {row.median('rate'):.0f} | {row.median('time'):.2f} "
                  f"| {'' if name == DIRECT else format(row.median('added'), '.2f')} |")


def print_aim(what, is_met):
    print(f"- {what}: {'yes' if is_met else 'NO'}")


def print_aims(figures):
    for cell in CELLS:
        where = f"{cell[0]} session(s), {cell[1]} message(s) each"
        own, nginx, haproxy = (figures[name, cell].median("cpu")
                               for name in (POSTERN, NGINX, HAPROXY))
        print_aim(f"{where}: CPU below nginx mail ({own / nginx:.2f} times)", own < nginx)
        print_aim(f"{where}: CPU within {AIM_HAPROXY} times HAProxy TCP ({own / haproxy:.2f} times)",
                  own <= AIM_HAPROXY * haproxy)
        if cell[0] == 1:
            added = figures[POSTERN, cell].median("added")
            print_aim(f"{where}: adds less than {AIM_ADDED} ms ({added:.2f} ms)",
                      added < AIM_ADDED)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true", help="less than a minute")
    options = parser.parse_args()
    rounds, most = (3, {1: 200, 50: 500}) if options.quick else (9, {1: 800, 50: 2000})
    meters, counts = {}, {}

    with Stage(options.program) as stage:
        stage.build_load()
        sink = stage.sink()
        servers = {DIRECT: sink, POSTERN: stage.postern(sink),
                   FILTERS: stage.postern_with_filters(sink), HAPROXY: stage.haproxy(sink),
                   NGINX: stage.nginx(sink), POSTFIX: stage.postfix(sink)}
        for name, server in servers.items():
            meters[name] = stage.cpu(server)
            stage.load(server, 200, 50, 2)
            for sessions in most:
                counts[name, sessions] = count_for(stage, server, sessions, most[sessions])
        figures = measure_all(stage, servers, meters, counts, rounds)
        print_table(servers, figures)
        print()
        print_aims(figures)


if __name__ == "__main__":
    main()
