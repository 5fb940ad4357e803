"""
Fixtures of the end-to-end tests. All servers listen on 127.0.0.1, live below one folder in /tmp,
and are ended by their pids; they die with pytest, however that ends.

    start           a Starter for one test: start.postern(...), start.postfix(...), ...
    start_module    the same for all tests of a file
    start_session   the same for all of them
    authority       the certificate authority; certificate, certificate_ecdsa: of mx.example.com
    backend         a Postfix that all tests share: take a token of your own
    token           a word that no other test uses
    vectors         the folder of the conformance data, or the test is skipped
"""

import os
import pathlib
import secrets
import shutil
import signal
import tempfile

import pytest

from kit import process
from kit.certificates import Authority
from kit.dns import Nsd, Unbound
from kit.exim import Exim
from kit.postern import PosternProcess
from kit.postfix import Postfix
from kit.rbldnsd import Rbldnsd, RuleServer
from kit.scanners import Clamd, Rspamd, ScriptedScanner, Spamd
from kit.scripted import Scripted
from kit.sink import Sink

TEST_SECONDS = 60  # @pytest.mark.seconds(n) for another limit


class Starter:
    """Starts servers, each in a folder of its own; stop() ends them, the youngest first."""

    def __init__(self, root, certificates):
        self.root = root
        self.certificates = certificates
        self.running = []

    def _folder(self, name):
        return pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.root))

    def _start(self, server):
        self.running.append(server)
        return server.start()

    def postern(self, configuration=None, **options):
        return self._start(PosternProcess(self._folder("postern"), configuration, **options))

    def postfix(self, certificate=None, **options):
        certificate = certificate or self.certificates()
        return self._start(Postfix(self._folder("postfix"), certificate, **options))

    def exim(self, certificate=None, **options):
        certificate = certificate or self.certificates()
        return self._start(Exim(self._folder("exim"), certificate, **options))

    def nsd(self, zones, **options):
        return self._start(Nsd(self._folder("nsd"), zones, **options))

    def unbound(self, nsd, **options):
        return self._start(Unbound(self._folder("unbound"), nsd, **options))

    def rbldnsd(self, lists, **options):
        return self._start(Rbldnsd(self._folder("rbldnsd"), lists, **options))

    def rule_server(self, rule, **options):
        return self._start(RuleServer(rule, **options))

    def clamd(self, **options):
        return self._start(Clamd(self._folder("clamd"), **options))

    def rspamd(self, **options):
        return self._start(Rspamd(self._folder("rspamd"), **options))

    def spamd(self, **options):
        return self._start(Spamd(self._folder("spamd"), **options))

    def scripted_scanner(self, script, **options):
        return self._start(ScriptedScanner(script, **options))

    def sink(self, certificate=None, **options):
        return self._start(Sink(self._folder("sink"), certificate, **options))

    def scripted(self, *arguments, **options):
        return self._start(Scripted(*arguments, **options))

    def folder(self, name="folder"):
        """An empty folder that every user can enter."""
        folder = self._folder(name)
        folder.chmod(0o755)
        return folder

    def stop(self):
        faults = []
        while self.running:
            try:
                self.running.pop().stop()
            except (AssertionError, TimeoutError) as fault:
                faults.append(fault)
        if faults:
            raise faults[0]


@pytest.fixture(scope="session")
def root():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-e2e-"))
    folder.chmod(0o755)
    yield folder
    if not os.environ.get("POSTERN_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def authority(root):
    return Authority(root / "authority")


@pytest.fixture(scope="session")
def certificate(authority):
    return authority.issue("mx.example.com", "backend.example.com", "127.0.0.1")


@pytest.fixture(scope="session")
def certificate_ecdsa(authority):
    return authority.issue("mx.example.com", "backend.example.com", "127.0.0.1", kind="ecdsa")


def _starter(root, request):
    starter = Starter(root, lambda: request.getfixturevalue("certificate"))
    yield starter
    starter.stop()


@pytest.fixture
def start(root, request):
    yield from _starter(root, request)


@pytest.fixture(scope="module")
def start_module(root, request):
    yield from _starter(root, request)


@pytest.fixture(scope="session")
def start_session(root, request):
    yield from _starter(root, request)


@pytest.fixture(scope="session")
def backend(start_session):
    return start_session.postfix()


@pytest.fixture
def token():
    return "t" + secrets.token_hex(8)


@pytest.fixture(scope="session")
def vectors():
    folder = pathlib.Path(
        os.environ.get("POSTERN_VECTORS")
        or pathlib.Path(__file__).parents[2].parent / "shared" / "vectors")
    if not folder.is_dir():
        pytest.skip(f"no conformance data at {folder}")
    return folder


def pytest_configure(config):
    config.addinivalue_line("markers", "seconds(n): how long the test may take")
    signal.signal(signal.SIGTERM, _on_term)
    signal.signal(signal.SIGHUP, _on_term)


def _on_term(number, frame):
    raise KeyboardInterrupt  # pytest then tears its fixtures down


def _on_alarm(number, frame):
    raise TimeoutError("the test takes too long")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    marker = item.get_closest_marker("seconds")
    before = signal.signal(signal.SIGALRM, _on_alarm)
    signal.alarm(marker.args[0] if marker else TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of what the servers have said."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in process.alive:
            lines = server.text().splitlines()[-40:]
            report.sections.append((f"{server.name} ({server.folder})", "\n".join(lines)))
