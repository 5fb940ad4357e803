"""
What the benchmarks stand on: the servers of the end-to-end tests' kit, the peers that postern is
held against, a fast backend, the load, and the CPU time of a whole process tree.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from kit.certificates import Authority              # noqa: E402
from kit.dns import Nsd                             # noqa: E402
from kit.postern import PosternProcess, fronts      # noqa: E402, F401
from kit.process import Process, free_port, wait_until  # noqa: E402, F401

# Nothing that a benchmark opens may run into these.
LIMITS = {"sessions": 10000, "sessions_per_client": 10000, "messages": 100000}


class Stage:
    """A folder and the servers in it; ends them all."""

    def __init__(self, program):
        os.environ["POSTERN"] = str(pathlib.Path(program).resolve())
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-bench-"))
        self.folder.chmod(0o755)
        self.running = []
        self.meters = []
        self.count = 0

    def start(self, server):
        self.running.append(server)
        server.start()
        return server

    def place(self, name):
        self.count += 1
        return self.folder / f"{self.count}-{name}"

    def __enter__(self):
        return self

    def stop_all(self):
        while self.running:
            self.running.pop().kill()

    def __exit__(self, kind, *fault):
        if kind is not None:
            for server in self.running:
                print(f"--- {server.name}:\n{server.text()[-2000:]}", file=sys.stderr)
        self.stop_all()
        for meter in self.meters:
            meter.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- servers ----

    def sink(self):
        return self.start(SmtpSink(self.place("sink")))

    def postern(self, backend, **configuration):
        """The shipped settings but for these; one worker; its log goes to a file, as text."""
        whole = {"workers": 1, "log": {"target": "stderr", "format": "text", "level": "info"},
                 "backend": {"servers": [f"127.0.0.1:{backend.port}"], "tls": "off"},
                 "limits": LIMITS, **configuration}
        server = PosternProcess(self.place("postern"), whole, backend)
        time.sleep(0.05)  # what was written in the moment of the start would be read once more
        return self.start(server)

    def name_server(self, zones):
        return self.start(Nsd(self.place("nsd"), zones))

    def postern_with_filters(self, backend, **configuration):
        names = self.name_server({
            "127.in-addr.arpa": "1.0.0 PTR client.example.org.",
            "example.org": "client A 127.0.0.1"})
        return self.postern(
            backend, policy=[{"include": "defaults/policy.yaml"}],
            dns={"servers": [f"127.0.0.1:{names.port}"]},
            filters={"ptr": {}, "ip_list": {"allow": ["192.0.2.0/24"],
                                            "block": ["198.51.100.0/24", "203.0.113.7"]}},
            **configuration)

    def haproxy(self, backend):
        return self.start(HAProxy(self.place("haproxy"), backend))

    def nginx(self, backend):
        return self.start(Nginx(self.place("nginx"), backend))

    def postfix(self, backend):
        from kit.postfix import Postfix  # wants pytest

        pair = Authority(self.folder / "authority").issue("mx.example.com")
        return self.start(Postfix(self.place("postfix"), pair,
                                  options=f"-o smtpd_proxy_filter=127.0.0.1:{backend.port}"))

    def rspamd(self, names):
        return self.start(Rspamd(self.place("rspamd"), names))

    def postfix_relay(self, backend, milter=None):
        """Takes mail for example.com into its queue, and hands it on to the backend."""
        from kit.postfix import Postfix  # wants pytest

        settings = {"relay_domains": "example.com", "disable_dns_lookups": "yes",
                    "relay_transport": f"smtp:[127.0.0.1]:{backend.port}",
                    "smtp_tls_security_level": "none"}
        if milter:
            settings["smtpd_milters"] = f"unix:{milter.socket}"
            settings["milter_default_action"] = "tempfail"
        pair = Authority(self.folder / "authority").issue("mx.example.com")
        return self.start(Postfix(self.place("postfix"), pair, domains=(), settings=settings))

    # ---- load ----

    def cpu(self, server):
        self.meters.append(Cpu(server))
        return self.meters[-1]

    def build_load(self):
        self.load_program = self.folder / "smtp_load"
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-o",
                        self.load_program, HERE / "smtp_load.c"], check=True)

    def load(self, server, messages, sessions, per_session, size=5120):
        """(seconds, first, next): see smtp_load.c; every message must have been taken. size: or the
        file with the message."""
        done = subprocess.run(
            [self.load_program, *map(str, (server.port, messages, sessions, per_session, size))],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"{server.name}: {done.stderr}\n{server.text()[-2000:]}")
        count, refused, seconds, first, following = map(float, done.stdout.split())
        if refused or count < messages:
            raise RuntimeError(f"{refused:.0f} of {count:.0f} messages were refused")
        return seconds, first, following


class SmtpSink(Process):
    """Postfix's smtp-sink: takes everything and throws it away."""

    def __init__(self, folder):
        super().__init__(folder, "smtp-sink")
        self.port = free_port()

    def start(self):
        self.launch(["/usr/sbin/smtp-sink", "-u", "nobody", "-m", 10000,
                     f"127.0.0.1:{self.port}", 4000], [self.port])
        return self


class HAProxy(Process):
    def __init__(self, folder, backend):
        super().__init__(folder, "haproxy")
        self.port = free_port()
        (self.folder / "haproxy.cfg").write_text(f"""\
global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 5m
  timeout server 5m
listen mail
  bind 127.0.0.1:{self.port}
  server backend 127.0.0.1:{backend.port}
""")

    def start(self):
        self.launch(["/usr/sbin/haproxy", "-db", "-f", self.folder / "haproxy.cfg"], [self.port])
        return self


class Nginx(Process):
    """The mail proxy without log-in; who the backend is it asks of itself, as it must."""

    def __init__(self, folder, backend):
        super().__init__(folder, "nginx")
        self.port = free_port()
        self.auth_port = free_port()
        paths = "".join(f"{name}_temp_path {self.folder}/{name}; "
                        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(f"""\
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
daemon off;
worker_processes 1;
pid {self.folder}/pid;
error_log {self.folder}/error.log;
events {{ worker_connections 4000; }}
http {{
  access_log off;
  {paths}
  server {{ listen 127.0.0.1:{self.auth_port};
    location /auth {{ add_header Auth-Status OK; add_header Auth-Server 127.0.0.1;
      add_header Auth-Port {backend.port}; return 204; }} }}
}}
mail {{
  server_name mx.example.com;
  auth_http 127.0.0.1:{self.auth_port}/auth;
  server {{ listen 127.0.0.1:{self.port}; protocol smtp; smtp_auth none; xclient off;
    smtp_capabilities "SIZE 10240000" ENHANCEDSTATUSCODES 8BITMIME DSN; }}
}}
""")

    def start(self):
        self.launch(["/usr/sbin/nginx", "-c", self.folder / "nginx.conf"],
                    [self.port, self.auth_port])
        return self


class Rspamd(Process):
    """
    Asked by a mail server over a Unix socket, `socket` (milter), it checks SPF, DKIM and DMARC and
    nothing else. One process does so. Its packages lie in $POSTERN_CACHE/rspamd/root.
    """

    def __init__(self, folder, names):
        super().__init__(folder, "rspamd")
        self.root = pathlib.Path(os.environ["POSTERN_CACHE"]).resolve() / "rspamd" / "root"
        self.share = self.root / "usr/share/rspamd"
        self.socket = self.folder / "milter"
        (self.folder / "suffixes").write_text("com\norg\nnet\n")
        checks = "".join(f"{name} {{ check_local = true; check_authed = true; }}\n"
                         for name in ("spf", "dkim", "dmarc"))
        (self.folder / "rspamd.conf").write_text(f"""
options {{ pidfile = "{self.folder}/pid"; filters = "dkim,spf"; tempdir = "{self.folder}";
    hs_cache_dir = "{self.folder}"; dns {{ nameserver = ["127.0.0.1:{names.port}"]; timeout = 1s; }}
    control_socket = "{self.folder}/control mode=0600"; url_tld = "{self.folder}/suffixes"; }}
logging {{ type = "console"; level = "notice"; }}
actions {{ reject = 15; add_header = 6; }}
worker "rspamd_proxy" {{ bind_socket = "{self.socket} mode=0666"; milter = yes; count = 1;
    timeout = 60s; upstream "local" {{ default = yes; self_scan = yes; }} }}
modules {{ path = "{self.share}/plugins/spf.lua"; path = "{self.share}/plugins/dmarc.lua"; }}
{checks}""")

    def start(self):
        paths = {"SHAREDIR": self.share, "PLUGINSDIR": self.share / "plugins",
                 "RULESDIR": self.share / "rules", "LUALIBDIR": self.share / "lualib",
                 "DBDIR": self.folder, "RUNDIR": self.folder}
        libraries = [self.root / "usr/lib/x86_64-linux-gnu", self.root / "usr/lib/rspamd"]
        self.launch([self.root / "usr/bin/rspamd", "-f", "-i", "-c", self.folder / "rspamd.conf",
                     *(f"--var={name}={path}" for name, path in paths.items())], [],
                    {"LD_LIBRARY_PATH": ":".join(map(str, libraries))})
        wait_until(lambda: self._has_ended() or self.socket.exists(), 30, "rspamd")
        if self._has_ended():
            raise RuntimeError(f"rspamd has ended:\n{self.text()}")
        return self


class Meters:
    """Several together."""

    def __init__(self, meters):
        self.meters = list(meters)

    def seconds(self):
        return sum(meter.seconds() for meter in self.meters)


class Cpu:
    """
    Seconds of CPU time, user and system, of a server and all its children, ended ones too: by a
    control group of its own, or (where that cannot be had) by /proc, in steps of 10 ms.
    """

    _PLACES = (("cpuacct", "cpuacct.usage"), ("", "cpu.stat"))

    def __init__(self, server):
        self.pid = server.pid
        self.group = None
        for controller, usage in self._PLACES:
            group = pathlib.Path("/sys/fs/cgroup") / controller / f"postern-bench-{self.pid}"
            try:
                if not (group.parent / "cgroup.procs").exists():
                    continue
                group.mkdir()
                self.group, self.usage = group, group / usage
                for pid in self._tree(self.pid):
                    (group / "cgroup.procs").write_text(str(pid))
                self.seconds()
                return
            except (OSError, ValueError):
                self.end()

    @classmethod
    def _tree(cls, pid):
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid] + [below for child in children for below in cls._tree(int(child))]

    def seconds(self):
        if self.group is None:
            return sum(self._ticks(pid) for pid in self._tree(self.pid)) / os.sysconf("SC_CLK_TCK")
        text = self.usage.read_text()
        if self.usage.name == "cpu.stat":
            return int(text.split("usage_usec ")[1].split()[0]) / 1e6
        return int(text) / 1e9

    @staticmethod
    def _ticks(pid):
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        return sum(map(int, text.rpartition(")")[2].split()[11:15]))

    def end(self):
        """After the server's end."""
        if self.group is not None:
            try:
                self.group.rmdir()
            except OSError:
                pass
        self.group = None
