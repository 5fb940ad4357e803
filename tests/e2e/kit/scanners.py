"""Scanners: real ones with rules of a test's own, and one that does as a test says."""

import contextlib
import os
import pathlib
import socket
import subprocess
import threading

import pytest

from kit.process import Process, free_port, wait_until

#: The test file of the makers of virus scanners, and that of the makers of spam filters. In two
#: halves, so that no scanner stumbles over this file.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


class Clamd(Process):
    """clamd with one signature, that of EICAR, on a Unix socket or (tcp) on a port."""

    def __init__(self, folder, tcp=False, port=None, **options):
        super().__init__(folder, "clamd")
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}" if tcp else str(self.folder / "ctl")
        self.ports = [self.port] if tcp else []
        database = self.folder / "database"
        database.mkdir(exist_ok=True)
        (database / "test.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
        listen = {"TCPSocket": self.port, "TCPAddr": "127.0.0.1"} if tcp else {
            "LocalSocket": self.address, "LocalSocketMode": "666"}
        rows = {"Foreground": "yes", "DatabaseDirectory": database, "TemporaryDirectory": self.folder,
                "LogFile": self.folder / "log", **listen, **options}
        self.file = self.folder / "clamd.conf"
        self.file.write_text("".join(f"{key} {value}\n" for key, value in rows.items()))

    def start(self):
        self.launch(["/usr/sbin/clamd", "-c", self.file], self.ports)
        wait_until(self._answers, what="clamd")
        return self

    def _answers(self):
        if self._has_ended():
            raise RuntimeError(f"clamd has ended:\n{self.text()}")
        with contextlib.suppress(OSError), connect(self.address) as peer:
            peer.sendall(b"zPING\0")
            return peer.recv(64) == b"PONG\0"
        return False


#: The symbols that rspamd and SpamAssassin have here: GTUBE, a subject with "bulk" (6 points; enough
#: for add_header and for spam), and one that says what it knows of the envelope.
_RSPAMD_RULES = """\
rspamd_config:register_symbol{ name = 'BULKY', score = 6.0, callback = function(task)
    local subject = task:get_subject() or ''
    if subject:find('bulk') then return true, 1.0, subject end
end }
rspamd_config:register_symbol{ name = 'GREYISH', score = 4.0, callback = function(task)
    return (task:get_subject() or ''):find('grey') ~= nil
end }
rspamd_config:register_symbol{ name = 'LATER', score = 0.0, callback = function(task)
    if (task:get_subject() or ''):find('later') then
        task:set_pre_result('soft reject', 'come again')
        return true
    end
end }
rspamd_config:register_symbol{ name = 'ENVELOPE', score = 0.0, callback = function(task)
    local to = {}
    for _, one in ipairs(task:get_recipients('smtp') or {}) do to[#to + 1] = one.addr end
    local from = (task:get_from('smtp') or {{ addr = 'none' }})[1].addr
    return true, 1.0, from, table.concat(to, '+'), tostring(task:get_ip()), tostring(task:get_helo())
end }
"""

_SPAMASSASSIN_RULES = f"""\
body GTUBE /{GTUBE.replace("*", "[*]").replace(".", "[.]")}/
score GTUBE 1000
header BULKY Subject =~ /bulk/
score BULKY 6
header RELAYED X-Spam-Relays-Trusted =~ /ip=127\\.0\\.0\\.1 .*helo=client\\.example\\.org .*by=mx\\.example\\.com/
score RELAYED 0.1
header ENVELOPE EnvelopeFrom =~ /a\\@example\\.org/
score ENVELOPE 0.1
required_score 5
"""


def unpack_rspamd():
    """
    Where its packages are laid: its library conflicts with another one that is needed. Without a
    network and nothing kept from before: skip.
    """
    source = pathlib.Path(__file__).parents[3]
    cache = pathlib.Path(os.environ.get("POSTERN_CACHE") or source / "build-check" / "cache") / "rspamd"
    done = subprocess.run(
        ["sh", "-c", '. "$1/packages.sh" && packages_unpack "$2" $packages_rspamd', "sh",
         source / "tools", cache], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        pytest.skip(f"rspamd cannot be had: {last}")
    return cache / "root"


class Rspamd(Process):
    """rspamd with a few rules of its own, without a network; it asks nobody."""

    def __init__(self, folder, port=None):
        super().__init__(folder, "rspamd")
        self.root = unpack_rspamd()
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        (self.folder / "suffixes").write_text("com\norg\nnet\n")
        (self.folder / "rules.lua").write_text(_RSPAMD_RULES)
        self.file = self.folder / "rspamd.conf"
        self.file.write_text(f"""
options {{ pidfile = "{self.folder}/pid"; filters = ""; tempdir = "{self.folder}";
    hs_cache_dir = "{self.folder}"; dns {{ nameserver = ["127.0.0.1:{free_port()}"]; timeout = 0.1s; }}
    control_socket = "{self.folder}/control mode=0600"; url_tld = "{self.folder}/suffixes";
    gtube_patterns = "all"; history_file = "{self.folder}/history"; max_message = 50M; }}
logging {{ type = "console"; level = "info"; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
worker "normal" {{ bind_socket = "127.0.0.1:{self.port}"; count = 1; }}
lua = "{self.folder}/rules.lua";
""")

    def start(self):
        share = self.root / "usr/share/rspamd"
        paths = {"SHAREDIR": share, "PLUGINSDIR": share / "plugins", "RULESDIR": share / "rules",
                 "LUALIBDIR": share / "lualib", "DBDIR": self.folder, "RUNDIR": self.folder}
        libraries = [self.root / "usr/lib/x86_64-linux-gnu", self.root / "usr/lib/rspamd"]
        self.launch([self.root / "usr/bin/rspamd", "-f", "-i", "-c", self.file,
                     *(f"--var={name}={path}" for name, path in paths.items())], [self.port],
                    {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}, seconds=30)
        return self


class Spamd(Process):
    """spamd with a few rules of its own; it asks nobody."""

    def __init__(self, folder, port=None):
        super().__init__(folder, "spamd")
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        for name, text in (("rules/test.cf", _SPAMASSASSIN_RULES),
                           ("site/init.pre", "loadplugin Mail::SpamAssassin::Plugin::Check\n")):
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def start(self):
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self.launch(["/usr/sbin/spamd", "-L", "-x", "-m", "2", "--listen", self.address,
                     "-C", self.folder / "rules", "--siteconfigpath", self.folder / "site",
                     "-s", "stderr", "-r", self.folder / "pid", *user],
                    [self.port], {"HOME": str(self.folder)}, seconds=30)
        return self


def connect(address):
    if address.startswith("/"):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(address)
        return peer
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)))


class ScriptedScanner:
    """
    Listens and does script(peer) for each connection, in a thread of its own; peer is the socket,
    which is closed behind it. backlog: of the queue.
    """

    def __init__(self, script, path=None, backlog=50):
        self.script = script
        self.path = path
        self.backlog = backlog
        self.port = None if path else free_port()
        self.address = str(path) if path else f"127.0.0.1:{self.port}"
        self.count = 0
        self.socket = None

    def start(self):
        self.socket = socket.socket(socket.AF_UNIX if self.path else socket.AF_INET)
        if not self.path:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(str(self.path) if self.path else ("127.0.0.1", self.port))
        if self.path:
            self.path.chmod(0o666)
        self.socket.listen(self.backlog)
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def stop(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer):
        with peer, contextlib.suppress(OSError):
            self.script(peer)
