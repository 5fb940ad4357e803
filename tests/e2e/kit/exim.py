"""Exim as a backend. It conflicts with Postfix, so its packages are only unpacked."""

import os
import pathlib
import shutil
import string
import subprocess

import pytest

from kit.maildir import Maildir
from kit.process import Process, free_port

_TOOLS = pathlib.Path(__file__).parents[3] / "tools"

_CONFIGURATION = string.Template("""\
exim_path = $exim
exim_user = mail
exim_group = mail
never_users = root
spool_directory = $folder/spool
log_file_path = $folder/log/%slog
pid_file_path = $folder/exim.pid
primary_hostname = backend.example.com
local_interfaces = <; [127.0.0.1]:$port
tls_advertise_hosts = *
tls_certificate = $cert
tls_privatekey = $key
chunking_advertise_hosts = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
prdr_enable = true
host_lookup =
rfc1413_hosts =
keep_environment =
message_size_limit = 50M
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
$settings
begin acl
rcpt:
  accept domains = example.com
  deny message = relay not permitted
begin routers
inbox:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = $folder/mail/inbox
  create_directory
  user = mail
  group = mail
begin retry
* * F,1m,1m
begin authenticators
$authenticators
""")


def unpack_exim():
    """The path of Exim's program; without a network and nothing kept from before: skip."""
    cache = pathlib.Path(os.environ.get("POSTERN_CACHE") or
                         pathlib.Path(__file__).parents[3] / "build-check" / "cache") / "exim"
    done = subprocess.run(
        ["sh", "-c", '. "$1/packages.sh" && packages_unpack "$2"', "sh", _TOOLS, cache],
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        pytest.skip(f"Exim cannot be had: {last}")
    return cache / "root" / "usr" / "sbin" / "exim4"


class Exim(Process):
    """
    Takes mail for anybody at example.com into one inbox; STARTTLS, CHUNKING, PRDR, SMTPUTF8,
    DSN, PIPECONNECT (Debian's light build: no PROXY header, no XCLIENT).
    settings: further lines of the main section; authenticators: those of that section.
    """

    def __init__(self, folder, certificate, settings="", authenticators="", port=None):
        if os.geteuid() != 0:
            pytest.skip("Exim can only be started by root")
        super().__init__(folder, "exim")
        # It starts itself anew as the user mail, who may not come to a checkout below /root.
        self.program = pathlib.Path(shutil.copy(unpack_exim(), self.folder / "exim4"))
        self.port = port or free_port()
        self.inbox = Maildir(self.folder / "mail" / "inbox")
        for name in ("spool", "log", "mail"):
            (self.folder / name).mkdir(exist_ok=True)
            shutil.chown(self.folder / name, "mail", "mail")
        self.configuration = self.folder / "exim.conf"
        self.configuration.write_text(_CONFIGURATION.substitute(
            exim=self.program, folder=self.folder, port=self.port, settings=settings,
            authenticators=authenticators,
            cert=certificate.cert, key=certificate.key))
        self.configuration.chmod(0o644)

    def start(self):
        self.launch([self.program, "-C", self.configuration, "-bdf"], [self.port])
        return self

    def text(self):
        logs = sorted((self.folder / "log").glob("*"))
        return super().text() + "".join(log.read_text(errors="replace") for log in logs)
