"""Postfix as a backend: an instance with a configuration folder of its own."""

import os
import shutil

import pytest

from kit.maildir import Maildir
from kit.process import Process, free_port

# What `postfix start` would make, and look at for two seconds: folder, mode, group.
_QUEUE = [
    *((name, 0o700, "root") for name in (
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
        "private", "saved", "trace")),
    ("maildrop", 0o1730, "postdrop"),
    ("public", 0o2710, "postdrop"),
]

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd{options}
127.0.0.1:{proxy_port} inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy{options}
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
pickup    unix  n - n 60 1 pickup
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix(Process):
    """
    Takes mail for anybody at example.com; each recipient's copy goes to the same inbox.

    port: SMTP with STARTTLS, XCLIENT for loopback. proxy_port: the same behind a PROXY header.
    settings: further lines of main.cf, e.g. smtpd_timeout="5s", virtual_transport="discard:";
    options: what follows smtpd in master.cf, e.g. "-o smtpd_tls_wrappermode=yes".
    """

    def __init__(self, folder, certificate, domains=("example.com",), settings=None, options="",
                 port=None):
        if os.geteuid() != 0:
            pytest.skip("Postfix can only be started by root")
        super().__init__(folder, "postfix")
        self.port = port or free_port()
        self.proxy_port = free_port()
        self.certificate = certificate
        self.domains = domains
        self.settings = settings or {}
        self.options = f" {options}" if options else ""
        self.log = self.folder / "log"
        self.inbox = Maildir(self.folder / "mail" / "inbox")
        self._write()

    def _write(self):
        here = self.folder
        etc = here / "etc"
        for name in ("etc/dynamicmaps.cf.d", "queue/pid", "data", "mail"):
            (here / name).mkdir(parents=True, exist_ok=True)
        for name, mode, group in _QUEUE:
            folder = here / "queue" / name
            folder.mkdir(exist_ok=True)
            shutil.chown(folder, "postfix", group)
            folder.chmod(mode)
        shutil.copy("/etc/postfix/dynamicmaps.cf", etc)
        shutil.chown(here / "data", "postfix")
        shutil.chown(here / "mail", "nobody", "nogroup")
        (etc / "main.cf").write_text(
            "".join(f"{key} = {value}\n" for key, value in self._main().items()))
        (etc / "master.cf").write_text(
            _MASTER.format(port=self.port, proxy_port=self.proxy_port, options=self.options))
        # Postfix waits until a file has not been written to for two seconds.
        for file in etc.glob("*.cf"):
            os.utime(file, (0, 0))

    def _main(self):
        return {
            "compatibility_level": "3.6",
            "queue_directory": self.folder / "queue",
            "data_directory": self.folder / "data",
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin",
            "syslog_name": "postfix",
            "maillog_file": self.log,
            "maillog_file_prefixes": "/tmp, /var, " + str(self.folder),
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "myhostname": "backend.example.com",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "virtual_mailbox_domains": ", ".join(self.domains),
            "virtual_mailbox_base": self.folder / "mail",
            "virtual_mailbox_maps": "static:inbox/",
            "virtual_uid_maps": "static:65534",
            "virtual_gid_maps": "static:65534",
            "smtpd_tls_cert_file": self.certificate.cert,
            "smtpd_tls_key_file": self.certificate.key,
            "smtpd_tls_security_level": "may",
            "smtpd_tls_loglevel": "1",
            "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
            "smtpd_peername_lookup": "no",
            "smtpd_client_connection_count_limit": "0",
            "smtpd_error_sleep_time": "0",
            # What comes is not touched, though it comes from loopback.
            "local_header_rewrite_clients": "",
            "message_size_limit": "60000000",
            "virtual_mailbox_limit": "0",
            "alias_maps": "",
            "alias_database": "",
            **self.settings,
        }

    def start(self):
        self.launch(["/usr/lib/postfix/sbin/master", "-d", "-c", self.folder / "etc"],
                    [self.port, self.proxy_port])
        return self

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def text(self):
        return super().text() + self.log_text()
