"""A client that says exactly what it is told, to the byte."""

import socket
import ssl
import time


class Reply:
    """One reply: `code`, and `lines` without code and line end."""

    def __init__(self, raw):
        self.raw = raw
        text = raw.decode("utf-8", "surrogateescape").split("\r\n")[:-1]
        self.code = int(text[0][:3])
        self.lines = [line[4:] for line in text]

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def enhanced(self):
        """The enhanced status code, or None."""
        word = self.lines[0].split(" ")[0]
        return word if word.count(".") == 2 and word.replace(".", "").isdigit() else None

    def __repr__(self):
        return f"<{self.code} {self.text!r}>"


class Smtp:
    """
    A connection; it has not read the greeting. source: the client's own address, any of 127/8.
    Every wait ends after `timeout` seconds with socket.timeout.
    """

    def __init__(self, port, host="127.0.0.1", source=None, timeout=15):
        self.socket = socket.create_connection(
            (host, port), timeout, source_address=(source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.extensions = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection by RST, as a client that died."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def finish(self):
        """Ends our side only (FIN); replies can still be read."""
        self.socket.shutdown(socket.SHUT_WR)

    # Out

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def send_slowly(self, data, pause=0.0, size=1):
        """Byte by byte (or pieces of size), each in a packet of its own."""
        data = data.encode() if isinstance(data, str) else data
        for start in range(0, len(data), size):
            self.socket.sendall(data[start:start + size])
            if pause:
                time.sleep(pause)

    def line(self, text):
        self.send((text.encode() if isinstance(text, str) else text) + b"\r\n")

    # In

    def _read_line(self):
        while b"\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError(f"the connection ended after {self.buffer!r}")
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line + b"\n"

    def reply(self):
        raw = b""
        while True:
            line = self._read_line()
            raw += line
            if not line.endswith(b"\r\n") or not line[:3].isdigit() or line[3:4] not in b" -\r":
                raise ValueError(f"no line of a reply: {line!r}")
            if line[3:4] != b"-":
                return Reply(raw)

    def is_silent(self, seconds=0.3):
        """True if nothing comes within that time."""
        if self.buffer:
            return False
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            self.buffer += self.socket.recv(65536)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(before)

    def is_ended(self):
        """Waits for the end of the connection; False if more text comes instead."""
        try:
            data = self.buffer or self.socket.recv(65536)
        except ConnectionResetError:
            return True
        self.buffer = data
        return not data

    # Commands

    def command(self, text):
        self.line(text)
        return self.reply()

    def commands(self, *texts):
        """All in one packet; their replies."""
        self.send(b"".join((t.encode() if isinstance(t, str) else t) + b"\r\n" for t in texts))
        return [self.reply() for _ in texts]

    def greet(self, name="client.example.org"):
        """Greeting and EHLO; the extensions are kept: {"SIZE": "1000", "PIPELINING": ""}."""
        greeting = self.reply()
        if greeting.code == 220:
            self.ehlo(name)
        return greeting

    def ehlo(self, name="client.example.org"):
        reply = self.command(f"EHLO {name}")
        pairs = (line.partition(" ") for line in reply.lines[1:])
        self.extensions = {word.upper(): rest for word, _, rest in pairs if word}
        return reply

    def tls(self, authority=None, server_name=None, context=None):
        """The handshake alone. authority: trust it and check server_name; None: check nothing."""
        if context is None:
            context = ssl.create_default_context(cafile=str(authority.cert) if authority else None)
            if authority is None:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
        self.buffer = b""
        self.socket = context.wrap_socket(self.socket, server_hostname=server_name)

    def starttls(self, authority=None, server_name=None, context=None, name="client.example.org"):
        """STARTTLS, handshake, EHLO anew; the reply to STARTTLS."""
        reply = self.command("STARTTLS")
        if reply.code == 220:
            self.tls(authority, server_name, context)
            self.ehlo(name)
        return reply

    def envelope(self, sender, *recipients, parameters=""):
        """MAIL and one RCPT each, one after the other; their replies."""
        replies = [self.command(f"MAIL FROM:<{sender}>{parameters and ' ' + parameters}")]
        return replies + [self.command(f"RCPT TO:<{recipient}>") for recipient in recipients]

    def data(self, message):
        """DATA with the message (CRLF in it already), dots stuffed; the last reply."""
        message = message.encode() if isinstance(message, str) else message
        reply = self.command("DATA")
        if reply.code != 354:
            return reply
        if message.startswith(b"."):
            message = b"." + message
        message = message.replace(b"\r\n.", b"\r\n..")
        if not message.endswith(b"\r\n"):
            message += b"\r\n"
        self.send(message + b".\r\n")
        return self.reply()

    def bdat(self, *chunks):
        """BDAT for each chunk, the last one as LAST; all replies."""
        replies = []
        for number, chunk in enumerate(chunks, 1):
            last = " LAST" if number == len(chunks) else ""
            self.send(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
            replies.append(self.reply())
        return replies

    def mail(self, sender, recipients, message):
        """A whole transaction; the reply that ended it (the first refusal, or the one to the text)."""
        recipients = [recipients] if isinstance(recipients, str) else recipients
        for reply in self.envelope(sender, *recipients):
            if reply.code >= 400:
                return reply
        return self.data(message)

    def quit(self):
        reply = self.command("QUIT")
        self.close()
        return reply


def connect(port, front="plain", authority=None, server_name="mx.example.com", **options):
    """A greeted client on a front: plain, starttls or implicit."""
    client = Smtp(port, **options)
    if front == "implicit":
        client.tls(authority, server_name)
    client.greet()
    if front == "starttls":
        client.starttls(authority, server_name)
    return client


def message(token, text="Hello.", sender="a@example.org", to="c@example.com", headers=""):
    """A small message (bytes, CRLF) that holds token in its Message-ID."""
    head = (f"From: {sender}\r\nTo: {to}\r\nSubject: test {token}\r\n"
            f"Date: Tue, 24 Nov 2026 05:00:00 +0000\r\nMessage-ID: <{token}@example.org>\r\n{headers}")
    return f"{head}\r\n{text}\r\n".encode()
