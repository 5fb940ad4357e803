"""postern itself, as a test starts it."""

import json
import os
import pathlib
import re
import signal
import subprocess

from kit.process import SANITIZER, Process, free_port, wait_until

SOURCE = pathlib.Path(__file__).parents[3]
_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*\Z")
_WORDS = {"yes", "no", "true", "false", "on", "off", "null", "y", "n"}


def program():
    """$POSTERN, or the program of the build in the source tree, or of the last check."""
    if "POSTERN" in os.environ:
        return pathlib.Path(os.environ["POSTERN"])
    places = (SOURCE / "postern", SOURCE / "build-check" / "asan" / "postern")
    return next((place for place in places if place.exists()), places[0])


def to_yaml(value, depth=0):
    """Block style, one key or item a line. Strings that could be read as anything else are quoted."""
    pad = "  " * depth
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{_scalar(key)}:{_value(item, depth)}" for key, item in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}-{_value(item, depth)}" for item in value)
    return f"{pad}{_scalar(value)}\n"


def _value(item, depth):
    if isinstance(item, (dict, list)) and item:
        return "\n" + to_yaml(item, depth + 1)
    return f" {_scalar(item)}\n"


def _scalar(value):
    if value is True or value is False:
        return "yes" if value else "no"
    if value == {} or value == []:
        return "{}" if value == {} else "[]"
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    if _PLAIN.match(text) and (text.lower() not in _WORDS or text in ("off", "no", "yes")):
        return text
    return json.dumps(text, ensure_ascii=False)


def fronts(*certificates, **row):
    """
    ({"plain": port, "starttls": port, "implicit": port}, {"listen": ..., "tls": ...}): a listener
    of each kind. row: further keys of each listener.
    """
    ports = {front: free_port() for front in ("plain", "starttls", "implicit")}
    listen = [{"address": f"127.0.0.1:{port}", "tls": front.replace("plain", "off"), **row}
              for front, port in ports.items()]
    pairs = [{"cert": str(pair.cert), "key": str(pair.key)} for pair in certificates]
    return ports, {"listen": listen, "tls": {"certificates": pairs}}


class PosternProcess(Process):
    """
    postern in a folder of its own.

    configuration: None, a dict or YAML text. A dict is laid over a small working configuration (a
    key replaces that key as a whole): one plain listener at `port`, the given backend, mail for
    example.com, JSON lines on stderr, no filters, no policy. In text the words {port}, {folder}
    and {backend} are filled in.

    backend: a port, or a server with .port. dns: the port of a name server. files: a dict from
    names to text, written beside postern.yaml. The shipped defaults lie there as defaults/. sanitizer:
    further words of ASAN_OPTIONS.
    """

    def __init__(self, folder, configuration=None, backend=None, dns=None, files=None, port=None,
                 sanitizer=""):
        super().__init__(folder, "postern")
        self.sanitizer = sanitizer
        self.port = port or free_port()
        self.backend = getattr(backend, "port", backend) or free_port()
        self.dns = getattr(dns, "port", dns)
        self.file = self.folder / "postern.yaml"
        for name in ("run", "state"):
            (self.folder / name).mkdir(exist_ok=True)
            (self.folder / name).chmod(0o777)
        defaults = self.folder / "defaults"
        if not defaults.is_symlink():
            defaults.symlink_to(SOURCE / "rules" / "defaults")
        for name, text in (files or {}).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.configure(configuration)

    def configure(self, configuration=None):
        """Writes postern.yaml (anew)."""
        if isinstance(configuration, str):
            for word in ("port", "folder", "backend", "dns"):
                configuration = configuration.replace("{%s}" % word, str(getattr(self, word)))
            self.file.write_text(configuration)
            self.ports = [self.port]
            return
        whole = {**self._least(), **(configuration or {})}
        self.file.write_text(to_yaml({k: v for k, v in whole.items() if v is not None}))
        self.ports = [int(str(row["address"]).rpartition(":")[2]) for row in whole["listen"]]

    def _least(self):
        return {
            "hostname": "mx.example.com",
            "user": "nobody",
            "run_dir": str(self.folder / "run"),
            "state_dir": str(self.folder / "state"),
            "log": {"target": "stderr", "format": "json", "level": "info"},
            "listen": [{"address": f"127.0.0.1:{self.port}", "tls": "off"}],
            "workers": 1,
            "backend": {"servers": [f"127.0.0.1:{self.backend}"], "tls": "opportunistic"},
            "relay": {"domains": ["example.com"]},
            "dns": {"servers": [f"127.0.0.1:{self.dns}"] if self.dns else []},
            "filters": {},
            "policy": [],
        }

    @property
    def environment(self):
        return {
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1"
                            f":{self.sanitizer}",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }

    def start(self):
        self.launch([program(), "-c", self.file, "run"], self.ports, self.environment)
        # It listens before it forks.
        wait_until(lambda: self._has_ended() or self.children(), 10, "a worker")
        return self

    def command(self, *arguments):
        """Another command with the same configuration: (exit status, stdout, stderr)."""
        done = subprocess.run(
            [str(program()), "-c", str(self.file), *map(str, arguments)], cwd=self.folder,
            env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=60)
        self._assert_clean(done.stderr.encode())
        return done.returncode, done.stdout, done.stderr

    def log_json(self):
        """The lines of the log so far."""
        lines = (line for line in self.text().splitlines() if line.startswith("{"))
        return [json.loads(line) for line in lines]

    def wait_log(self, condition, seconds=10):
        """Waits for a line of the log for which condition(line) is true, and gives it."""
        def look():
            return next((line for line in self.log_json() if condition(line)), None)
        return wait_until(look, seconds, "a line of the log")

    def _assert_clean(self, said):
        assert not any(word in said for word in SANITIZER), said.decode(errors="replace")

    def stop(self, number=signal.SIGTERM, seconds=20, status=0):
        """It must end, with this status, and no sanitizer may have spoken."""
        if self.is_over:
            return None
        ended = super().stop(number, seconds)
        self._assert_clean(self.output.read_bytes())
        assert ended == status, f"postern ended with {ended}:\n{self.text()}"
        return ended
