"""Scanners: real ones with rules of a test's own, and one that does as a test says."""

import contextlib
import socket
import threading

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
