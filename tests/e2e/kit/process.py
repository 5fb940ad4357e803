"""Children of a test: ports, starting, waiting, ending by pid."""

import contextlib
import ctypes
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

SANITIZER = (b"AddressSanitizer", b"LeakSanitizer", b"runtime error:", b"UndefinedBehaviorSanitizer")

_libc = ctypes.CDLL(None)
_handed_out = set()
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

# A server's children become ours when it ends before them; so they can be waited for.
_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)

#: Processes that live now; their logs are shown with a test that fails.
alive = []


def free_port():
    """
    A port of 127.0.0.1 that is free for TCP and UDP, below the range of outgoing connections; where
    several run at once, each has a range of its own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 6
    while True:
        port = random.randrange(20000 + 2000 * worker, 22000 + 2000 * worker)
        if port in _handed_out:
            continue
        with contextlib.ExitStack() as stack:
            try:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _handed_out.add(port)
        return port


def is_listening(port):
    """Looks into the kernel's table: no connection is made, so no server logs one."""
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError), open(table) as lines:
            for line in lines:
                fields = line.split()
                if fields[3] == "0A" and fields[1].endswith(wanted):
                    return True
    return False


def wait_until(condition, seconds=10, what="the condition"):
    """Calls condition() until it is true and returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    """A server in the foreground, in a folder of its own (mode 755), its output in a file there."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self.name = name
        self.output = self.folder / "output"
        self.child = None
        self.is_over = True  # not started, or stopped or killed by the test

    def launch(self, arguments, ports=(), env=None, seconds=15):
        """Starts it and waits until it listens on all ports."""
        with open(self.output, "ab") as output:
            self.child = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder,
                env={**os.environ, **(env or {})}, start_new_session=True,
                preexec_fn=_die_with_parent)
        self.is_over = False
        alive.append(self)
        try:
            wait_until(lambda: self._has_ended() or all(map(is_listening, ports)), seconds, self.name)
        except TimeoutError:
            self.kill()
            raise RuntimeError(f"{self.name} does not listen:\n{self.text()}") from None
        if ports and self.child.poll() is not None:
            self.kill()
            raise RuntimeError(f"{self.name} ended ({self.child.returncode}):\n{self.text()}")

    def _has_ended(self):
        return self.child.poll() is not None

    @property
    def pid(self):
        return self.child.pid

    def children(self, name=None):
        """Pids of its direct children that have its own name, or that one."""
        path = pathlib.Path("/proc")
        try:
            name = name or (path / str(self.pid) / "comm").read_text().strip()
            pids = (path / f"{self.pid}/task/{self.pid}/children").read_text().split()
        except FileNotFoundError:
            return []
        return [int(pid) for pid in pids if self._comm(path / pid / "comm") == name]

    @staticmethod
    def _comm(path):
        try:
            return path.read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            return None

    def send_signal(self, number):
        os.kill(self.pid, number)

    def stop(self, number=signal.SIGTERM, seconds=15):
        """Asks it to end, and gives its exit status; None if that has been done before."""
        if self.is_over:
            return None
        if self.child.poll() is None:
            self.send_signal(number)
        try:
            status = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self.name} does not end:\n{self.text()}") from None
        self.kill()
        return status

    def kill(self):
        """Ends it and what is left of its group at once."""
        if self.is_over:
            return
        self.is_over = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-self.child.pid, 0)
        if self in alive:
            alive.remove(self)

    def text(self):
        """What it has said so far."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""
