"""`postern sink`, as a test starts it."""

import re
import signal

from kit.maildir import Maildir
from kit.postern import program
from kit.process import SANITIZER, Process, free_port, wait_until

_KEPT = re.compile(r"kept (\S+) from=(<.*?>) to=(<.*>) size=(\d+) tls=(\S+)")


class Sink(Process):
    """
    Keeps what it gets in `inbox`, byte for byte (line ends are CRLF). certificate: a Pair, or None
    for no TLS. options: further words for it, such as "--idle", 1. limits: words for prlimit.
    """

    def __init__(self, folder, certificate=None, options=(), limits=(), port=None):
        super().__init__(folder, "sink")
        self.port = port or free_port()
        self.inbox = Maildir(self.folder / "mail")
        self.words = [program(), "sink", "--listen", f"127.0.0.1:{self.port}", "--maildir",
                      self.inbox.path, "--hostname", "backend.example.com", *options]
        if certificate:
            self.words += ["--cert", certificate.cert, "--key", certificate.key]
        if limits:
            self.words = ["prlimit", *limits, "--", *self.words]

    def start(self):
        self.launch(self.words, [self.port])
        return self

    def kept(self):
        """(name, from, to, size, tls) for each message, as it told."""
        return [match.groups() for match in map(_KEPT.fullmatch, self.text().splitlines()) if match]

    def wait_kept(self, count, seconds=10):
        """All of them, as soon as there are that many."""
        return wait_until(lambda: len(self.kept()) >= count and self.kept(), seconds, "kept")

    def stop(self, number=signal.SIGTERM, seconds=15, status=0):
        """It must end with this status, and no sanitizer may have spoken."""
        if self.is_over:
            return None
        ended = super().stop(number, seconds)
        said = self.output.read_bytes()
        assert not any(word in said for word in SANITIZER), said.decode(errors="replace")
        assert ended == status, f"the sink ended with {ended}:\n{self.text()}"
        return ended
