"""
senders.py PROGRAM [--quick]: what it costs to find out whose mail it is, over the wire: spf, dkim and
dmarc in postern, beside Postfix with rspamd as its milter, with these three modules alone. Messages
of 5.7 KB with a signature of 2048 bits; the sender's domain includes three others. Both ask the same
name server (nsd on loopback) and have the answers at hand after the first message; all mail ends in
the same smtp-sink. They are measured in turn, several times. Prints the medians as a table, and
whether postern's aim is met.

CPU is user and system time of all of a server's processes, until its queue is empty; that of the
name server and the sink is not in it. Besides there are postern and Postfix without checks.
"""

import argparse
import base64
import statistics
import subprocess
import time

import dkim

from stage import Meters, Stage, wait_until

CELLS = [(10, 1), (10, 10)]  # sessions, messages per session
AIM = 0.6                    # milliseconds of CPU time a message
SIZE = 5700

POSTERN, CHECKS, POSTFIX, RSPAMD, SHARE = (
    "postern", "postern: spf, dkim, dmarc", "Postfix", "Postfix, rspamd: spf, dkim, dmarc",
    "of that rspamd")
QUEUES = ("maildrop", "incoming", "active", "deferred")

HEADER = b"""\
From: A Sender <a@example.org>
To: C <c@example.com>
Subject: words of a subject
Date: Tue, 24 Nov 2026 05:00:00 +0000
Message-ID: <7F3K2Q@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

"""


def zones(record):
    """What is published. Clients come from 127.0.0.1."""
    strings = " ".join(f'"{record[at:at + 250]}"' for at in range(0, len(record), 250))
    return {"example.org": f"""\
@ 3600 TXT "v=spf1 ip4:203.0.113.0/24 include:_a.example.org include:_b.example.org include:_c.example.org ~all"
_a 3600 TXT "v=spf1 ip4:198.51.100.0/25 ip6:2001:db8:1::/48 ~all"
_b 3600 TXT "v=spf1 ip4:198.18.0.0/16 ip6:2001:db8:2::/48 ~all"
_c 3600 TXT "v=spf1 ip4:127.0.0.0/8 -all"
client 3600 A 127.0.0.1
client 3600 TXT "v=spf1 a -all"
s1._domainkey 3600 TXT {strings}
_dmarc 3600 TXT "v=DMARC1; p=reject; adkim=s; aspf=s"
"""}


def signed_message(folder):
    """(the file with it, the record of its key)"""
    key = folder / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-outform", "DER"],
                            check=True, capture_output=True).stdout
    line = b"The quick brown fox jumps over the lazy dog, and again.\n"
    text = (HEADER + line * ((SIZE - 600 - len(HEADER)) // len(line))).replace(b"\n", b"\r\n")
    field = dkim.sign(text, b"s1", b"example.org", key.read_bytes(),
                      canonicalize=(b"relaxed", b"relaxed"))
    file = folder / "message"
    file.write_bytes(field + text)
    return file, "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()


def is_empty(server):
    return not any(path.is_file() for name in QUEUES
                   for path in (server.folder / "queue" / name).rglob("*"))


def wait_for_queue(server):
    if (server.folder / "queue").exists():
        wait_until(lambda: is_empty(server), 60, "an empty queue")


def assure(server, words):
    """All checks have been made, and come out well: a log says so."""
    wait_until(lambda: all(word in server.text() for word in words), 10,
               f"{' '.join(words)} of {server.name}")


def measure(stage, server, meters, rows, cell, messages, file):
    """Each meter adds to its row."""
    before = [meter.seconds() for meter in meters]
    stage.load(server, messages, *cell, size=file)
    wait_for_queue(server)
    time.sleep(0.05)  # the ends of the last sessions
    for meter, seconds, row in zip(meters, before, rows):
        row.append((meter.seconds() - seconds) * 1e3 / messages)


def print_table(names, figures, rounds):
    print(f"Messages of {SIZE / 1000:.1f} KB, {rounds} rounds.\n")
    print("| sessions | messages each | server | CPU ms/message | least |")
    print("|---:|---:|---|---:|---:|")
    for cell in CELLS:
        for name in names:
            row = figures[name, cell]
            print(f"| {cell[0]} | {cell[1]} | {name} | {statistics.median(row):.3f} "
                  f"| {min(row):.3f} |")


def print_aim(figures):
    print()
    for cell in CELLS:
        own, other = (statistics.median(figures[name, cell]) for name in (CHECKS, RSPAMD))
        print(f"- {cell[1]} message(s) a session: at most {AIM} ms: {'yes' if own <= AIM else 'NO'} "
              f"({own:.3f} ms, {other / own:.1f} times less than Postfix with rspamd)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true", help="a quarter of a minute")
    options = parser.parse_args()
    rounds, messages = (3, 100) if options.quick else (9, 300)

    with Stage(options.program) as stage:
        stage.build_load()
        file, record = signed_message(stage.folder)
        names = stage.name_server(zones(record))
        sink = stage.sink()
        rspamd = stage.rspamd(names)
        servers = {
            POSTERN: stage.postern(sink),
            CHECKS: stage.postern(sink, dns={"servers": [f"127.0.0.1:{names.port}"]},
                                  filters={"spf": {}, "dkim": {}, "dmarc": {}},
                                  policy=[{"include": "defaults/policy.yaml"}]),
            POSTFIX: stage.postfix_relay(sink),
            RSPAMD: stage.postfix_relay(sink, rspamd),
        }
        meters = {name: {name: stage.cpu(server)} for name, server in servers.items()}
        meters[RSPAMD][SHARE] = stage.cpu(rspamd)
        meters[RSPAMD][RSPAMD] = Meters(meters[RSPAMD].values())
        for server in servers.values():
            stage.load(server, 40, 10, 2, size=file)
            wait_for_queue(server)
        assure(rspamd, ["R_SPF_ALLOW", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW"])
        order = list(servers)
        figures = {(name, cell): [] for name in (*order, SHARE) for cell in CELLS}
        for number in range(rounds):
            for cell in CELLS:
                for name in order[number % len(order):] + order[:number % len(order)]:
                    measure(stage, servers[name], meters[name].values(),
                            [figures[row, cell] for row in meters[name]], cell, messages, file)
        print_table((*order, SHARE), figures, rounds)
        print_aim(figures)


if __name__ == "__main__":
    main()
