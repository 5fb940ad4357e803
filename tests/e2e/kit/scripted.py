"""A backend that does what a test tells it, at every point of the dialogue."""

import base64
import contextlib
import socket
import ssl
import threading

from kit.process import free_port, wait_until

CLOSE, RESET, STALL, READ = "close", "reset", "stall", "read"

EXTENSIONS = ("PIPELINING", "SIZE 100000000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")


class Mail:
    """A message whose end was seen; is_accepted: it was answered by 2yz. raw: CRLF, no stuffed dots."""

    def __init__(self, sender, recipients, raw, is_tls, user):
        self.sender, self.recipients, self.raw = sender, recipients, raw
        self.is_tls, self.user = is_tls, user
        self.is_accepted = False

    @property
    def message(self):
        """What the client sent: without the Received field that postern puts in front."""
        lines = self.raw.split(b"\r\n")
        assert lines[0].startswith(b"Received: from "), lines[0]
        end = 1
        while lines[end][:1] in (b" ", b"\t"):
            end += 1
        return b"\r\n".join(lines[end:])


class Scripted:
    """
    script: a dict from a point (connect ehlo starttls auth mail rcpt data text dot rset quit) to
    what happens there instead of the usual answer: octets to send, CLOSE, RESET, STALL, READ
    (something), or a tuple of these. text: once the text has begun. It may be changed at any time.

    lines: the commands heard, in their order. mails: what was sent, a Mail each. users: names
    and passwords, for AUTH PLAIN and LOGIN. idle: seconds without input, then 421 and the end.
    """

    def __init__(self, script=None, extensions=EXTENSIONS, certificate=None, users=None, idle=60,
                 port=None):
        self.script = script or {}
        self.extensions, self.users, self.idle = list(extensions), users or {}, idle
        self.port = port or free_port()
        self.lines, self.mails, self.sockets = [], [], set()
        self.connections = 0
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate.cert, certificate.key)
        self.over = threading.Event()
        self.listener = None

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=200)
        # So that a long message cannot wait in the kernel as a whole.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self):
        self.over.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self.sockets):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def accepted(self, token=b""):
        token = token.encode() if isinstance(token, str) else token
        return [mail for mail in self.mails if mail.is_accepted and token in mail.raw]

    def wait_line(self, start, seconds=10):
        """Waits until a command that begins so was heard."""
        wait_until(lambda: any(line.upper().startswith(start) for line in self.lines), seconds,
                   f"{start} at the backend")

    def _accept(self):
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        self.sockets.add(connection)
        try:
            _Dialogue(self, connection).run()
        except (OSError, EOFError, ValueError):
            pass
        finally:
            self.sockets.discard(connection)
            with contextlib.suppress(OSError):
                connection.close()


class _Dialogue:
    def __init__(self, backend, connection):
        self.backend, self.socket = backend, connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(backend.idle)
        self.buffer = b""
        self.user, self.sender, self.recipients = None, None, []
        self.is_tls = False

    def run(self):
        try:
            self.answer("connect", b"220 backend.example.com ESMTP\r\n")
            while True:
                line = self.read_line()
                self.backend.lines.append(line.decode("utf-8", "surrogateescape"))
                verb, _, argument = line.partition(b" ")
                method = getattr(self, "on_" + verb.decode("ascii", "replace").lower(), None)
                if method is None:
                    self.socket.sendall(b"502 5.5.1 unknown\r\n")
                else:
                    method(argument)
        except TimeoutError:
            self.socket.sendall(b"421 4.4.2 idle\r\n")

    def read_line(self):
        while b"\r\n" not in self.buffer:
            self.read()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def read(self):
        data = self.socket.recv(262144)
        if not data:
            raise EOFError
        self.buffer += data
        return data

    def answer(self, point, usual):
        """The scripted actions of this point, or the usual answer."""
        actions = self.backend.script.get(point, usual)
        for action in actions if isinstance(actions, tuple) else (actions,):
            if action == RESET:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                raise EOFError
            if action == CLOSE:
                raise EOFError
            if action == STALL:
                self.backend.over.wait(self.backend.idle)
                raise EOFError
            if action == READ:
                self.read()
            else:
                self.socket.sendall(action)
        return actions is usual

    # Commands

    def on_ehlo(self, _):
        words = list(self.backend.extensions)
        if self.backend.context and not self.is_tls:
            words.append("STARTTLS")
        if self.backend.users:
            words.append("AUTH PLAIN LOGIN")
        lines = ["backend.example.com", *words]
        self.answer("ehlo", "".join(
            f"250{'-' if number < len(lines) else ' '}{line}\r\n"
            for number, line in enumerate(lines, 1)).encode())

    def on_helo(self, _):
        self.answer("helo", b"250 backend.example.com\r\n")

    def on_starttls(self, _):
        if not self.answer("starttls", b"220 2.0.0 begin\r\n"):
            return
        self.backend.sockets.discard(self.socket)
        self.socket = self.backend.context.wrap_socket(self.socket, server_side=True)
        self.backend.sockets.add(self.socket)
        self.is_tls, self.buffer = True, b""

    def ask(self, prompt):
        self.socket.sendall(b"334 " + prompt + b"\r\n")
        return self.read_line()

    def on_auth(self, argument):
        mechanism, _, first = argument.partition(b" ")
        try:
            if mechanism.upper() == b"PLAIN":
                words = base64.b64decode(first or self.ask(b""), validate=True).split(b"\0")[1:]
            else:
                words = [base64.b64decode(self.ask(prompt), validate=True)
                         for prompt in (b"VXNlcm5hbWU6", b"UGFzc3dvcmQ6")]
        except ValueError:  # "*", too
            self.socket.sendall(b"501 5.5.2 not understood\r\n")
            return
        name, password = (word.decode() for word in words)
        if self.backend.users.get(name) == password:
            self.user = name
            self.answer("auth", b"235 2.7.0 welcome\r\n")
        else:
            self.answer("auth", b"535 5.7.8 no\r\n")

    def on_mail(self, argument):
        self.sender, self.recipients = argument, []
        self.answer("mail", b"250 2.1.0 ok\r\n")

    def on_rcpt(self, argument):
        if self.answer("rcpt", b"250 2.1.5 ok\r\n"):
            self.recipients.append(argument)

    def on_data(self, _):
        if not self.answer("data", b"354 go\r\n"):
            return
        if "text" in self.backend.script:
            if not self.buffer:
                self.read()
            self.answer("text", b"")
        pieces = [b"\r\n" + self.buffer]
        tail = pieces[0]
        while b"\r\n.\r\n" not in tail:
            self.buffer = b""  # a long message is not put together anew with each piece
            piece = self.read()
            tail = tail[-4:] + piece
            pieces.append(piece)
        text, _, self.buffer = b"".join(pieces).partition(b"\r\n.\r\n")
        raw = (text + b"\r\n").replace(b"\r\n.", b"\r\n")[2:]
        mail = Mail(self.sender, self.recipients, raw, self.is_tls, self.user)
        mail.is_accepted = "dot" not in self.backend.script
        self.backend.mails.append(mail)
        self.answer("dot", b"250 2.0.0 taken\r\n")

    def on_rset(self, _):
        self.answer("rset", b"250 2.0.0 ok\r\n")

    def on_noop(self, _):
        self.answer("noop", b"250 2.0.0 ok\r\n")

    def on_quit(self, _):
        self.answer("quit", b"221 2.0.0 bye\r\n")
        raise EOFError
