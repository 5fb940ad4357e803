"""Reads what a backend has delivered."""

import email
import email.policy
import pathlib
import time

from kit.process import wait_until


class Message:
    """One delivered message: `raw` as the backend wrote it (lines end with LF)."""

    def __init__(self, path):
        self.path = path
        self.raw = path.read_bytes()

    @property
    def body(self):
        return self.raw.partition(b"\n\n")[2]

    @property
    def parsed(self):
        return email.message_from_bytes(self.raw, policy=email.policy.compat32)

    def header(self, name):
        return self.parsed[name]

    def headers(self, name):
        return self.parsed.get_all(name, [])


HEAD = 16 * 1024


class Maildir:
    """A Maildir that several tests may share: each looks for a token of its own, near the top."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self._heads = {}

    def _head(self, path):
        if path not in self._heads:
            with open(path, "rb") as file:
                self._heads[path] = file.read(HEAD)
        return self._heads[path]

    def messages(self, token=b""):
        """The messages that hold token, oldest first."""
        found = []
        for folder in ("new", "cur"):
            for path in (self.path / folder).glob("*"):
                try:
                    if token in self._head(path):
                        found.append(Message(path))
                except FileNotFoundError:
                    continue
        return sorted(found, key=lambda message: (message.path.stat().st_mtime_ns, message.path.name))

    def wait(self, token=b"", count=1, seconds=15):
        """Waits for at least count messages that hold token."""
        if isinstance(token, str):
            token = token.encode()

        def look():
            messages = self.messages(token)
            return messages if len(messages) >= count else None

        return wait_until(look, seconds, f"{count} messages with {token!r} in {self.path}")

    def stays_without(self, token, seconds=0.5):
        """True if no message with token comes within that time."""
        time.sleep(seconds)
        return not self.messages(token.encode() if isinstance(token, str) else token)
