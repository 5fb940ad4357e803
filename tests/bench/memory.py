"""
memory.py PROGRAM [--quick]: what an idle session costs in memory: by how much one worker of postern
grows when many clients stay connected, plain and with TLS, after EHLO and after one message each
(then postern's session with the backend stays, too). What the kernel keeps for sockets is not in it.
"""

import argparse
import pathlib
import socket
import ssl

from stage import Authority, Stage, fronts

AIMS = {"plain": 6 * 1024, "implicit": 20 * 1024}  # bytes of an idle session after EHLO
MESSAGE = b"From: <a@example.org>\r\nSubject: a message\r\n\r\n" + b"A line of text.\r\n" * 300


class Client:
    """A connection that stays open."""

    def __init__(self, port, number, context):
        source = f"127.0.0.{1 + number % 200}"
        self.socket = socket.create_connection(("127.0.0.1", port), 10, (source, 0))
        if context is not None:
            self.socket = context.wrap_socket(self.socket)
        self.hear()
        self.say(b"EHLO client.example.org\r\n")

    def say(self, data):
        self.socket.sendall(data)
        self.hear()

    def hear(self):
        reply = b""
        while not (reply.endswith(b"\n") and reply.splitlines()[-1][3:4] != b"-"):
            piece = self.socket.recv(4096)
            if not piece:
                raise EOFError(reply)
            reply += piece
        if reply[0:1] not in b"23":
            raise RuntimeError(reply)

    def send(self):
        for line in (b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<c@example.com>\r\n", b"DATA\r\n",
                     MESSAGE + b".\r\n"):
            self.say(line)


def memory(pid):
    """(RSS, private) in bytes."""
    words = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[0:2]
        words[name.rstrip(":")] = int(value) * 1024
    return words["Rss"], words["Private_Clean"] + words["Private_Dirty"]


def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def measure(stage, title, start, front, count, pair):
    """One postern, `count` clients; prints its rows; gives bytes a session after EHLO."""
    sink = stage.sink()
    ports, listen = fronts(pair)
    postern = start(sink, **listen)
    worker = postern.children()[0]
    context = client_context() if front == "implicit" else None
    first = Client(ports[front], 0, context)  # what is made for the first session and stays
    first.send()
    before = memory(worker)
    clients = [Client(ports[front], number, context) for number in range(count)]
    idle = memory(worker)
    for client in clients:
        client.send()
    after = memory(worker)
    for what, now in (("EHLO", idle), ("one message", after)):
        print(f"| {count} | {title} | {what} | {(now[0] - before[0]) / count:.0f} "
              f"| {(now[1] - before[1]) / count:.0f} |", flush=True)
    for client in [first, *clients]:
        client.socket.close()
    stage.stop_all()
    return (idle[0] - before[0]) / count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true", help="fewer sessions")
    options = parser.parse_args()
    plain, tls = (2000, 1000) if options.quick else (5000, 2000)

    with Stage(options.program) as stage:
        pair = Authority(stage.folder / "authority").issue("mx.example.com", kind="ecdsa")
        print("Bytes a session by which a worker grows.\n")
        print("| sessions | kind | after | RSS | private |")
        print("|---:|---|---|---:|---:|")
        own = {}
        for front, title, count in (("plain", "plain", plain), ("implicit", "TLS", tls)):
            own[front] = measure(stage, title, stage.postern, front, count, pair)
        measure(stage, "plain, with filters", stage.postern_with_filters, "plain", plain, pair)
        print()
        for front, most in AIMS.items():
            print(f"- idle {front} session below {most} bytes ({own[front]:.0f}): "
                  f"{'yes' if own[front] < most else 'NO'}")


if __name__ == "__main__":
    main()
