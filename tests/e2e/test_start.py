"""What cannot start says why, with file, line and column, and a status of sysexits."""

import os
import socket
import subprocess

import pytest

from kit.postern import program
from kit.process import free_port
from kit.smtp import connect, message


def run(postern, *arguments):
    done = subprocess.run([str(program()), "-c", str(postern.file), *arguments],
                          capture_output=True, text=True, timeout=20)
    return done.returncode, done.stderr


@pytest.fixture
def stopped(start):
    postern = start.postern(backend=start.scripted())
    postern.stop()
    return postern


def test_second_master_is_refused(start):
    postern = start.postern(backend=start.scripted())
    postern.configure({"listen": [{"address": f"127.0.0.1:{free_port()}", "tls": "off"}]})
    status, said = run(postern, "run")
    assert status == 73 and "another postern is running" in said
    with connect(postern.port) as client:
        assert client.mail("a@example.org", "c@example.com", message("x")).code == 250
    assert postern.command("status")[0] == 0


FAULTS = {
    "no-file": ({"filters": {"ip_list": {"block": [{"file": "missing.txt"}]}}}, "missing.txt"),
    "no-certificate": ({"listen": [{"address": "127.0.0.1:2525", "tls": "starttls"}], "tls": {
        "certificates": [{"cert": "missing.pem", "key": "missing.key"}]}}, "missing.pem"),
    "no-key": ({"listen": [{"address": "127.0.0.1:2525", "tls": "starttls"}], "tls": {
        "certificates": [{"cert": "a.pem", "key": "a.pem"}]}}, "a.pem"),
    "tls-without": ({"listen": [{"address": "127.0.0.1:2525", "tls": "implicit"}]}, "certificate"),
    "fact": ({"policy": [{"name": "a", "when": {"ip_list": "blok"}, "do": "reject"}],
              "filters": {"ip_list": {}}}, "block"),
    "filter": ({"policy": [{"name": "a", "when": {"ip_lits": "block"}, "do": "reject"}]}, "ip_list"),
    "action": ({"policy": [{"name": "a", "when": {"smtp.tls": "no"}, "do": "rejekt"}]}, "reject"),
    "text": ({"policy": [{"name": "a", "when": {"smtp.tls": "no"}, "do": "reject",
                          "text": "5.7.1 {no}"}]}, "{client}"),
    "text-code": ({"policy": [{"name": "a", "when": {"smtp.tls": "no"}, "do": "defer",
                               "text": "5.7.1 later"}]}, "begins with 4"),
    "value": ({"limits": {"sessions": -1}}, "between 1 and"),
    "no-backend": ({"backend": {}}, "servers"),
    "list": ({"filters": {"ip_list": {"block": [{"file": "bad.txt"}]}}}, "bad.txt:2:1"),
    "include": ({"policy": [{"include": "bad.yaml"}]}, "bad.yaml:2:"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_impossible_configuration(stopped, name):
    configuration, expected = FAULTS[name]
    (stopped.folder / "a.pem").write_text("nothing\n")
    (stopped.folder / "bad.txt").write_text("192.0.2.0/24\n192.0.2.0/33\n")
    (stopped.folder / "bad.yaml").write_text("- { name: a, when: { smtp.tls: no }, do: reject }\n"
                                             "- { nam: b, do: accept }\n")
    stopped.configure(configuration)
    for command in ("run", "check"):
        status, said = run(stopped, command)
        assert status == 78 and expected in said
        assert any(line.startswith(str(stopped.folder)) and line.count(":") >= 3
                   for line in said.splitlines()), said


@pytest.mark.parametrize("text, expected", [
    ("", "nothing in this file"), ("a: [", ":1:"), ("\tlisten: x\n", ":1:"), ("- a\n- b\n", ":1:"),
    ("hostname: x\nhostname: y\n", ":2:"), ("\xff\xfe", ":1:"), ("a: &a [*a]\n", ":1:"),
])
def test_no_yaml(stopped, text, expected):
    stopped.file.write_text(text, encoding="latin-1")
    status, said = run(stopped, "run")
    assert status == 78 and expected in said and str(stopped.file) in said


def test_missing_file(stopped):
    stopped.file.unlink()
    status, said = run(stopped, "run")
    assert status == 78 and str(stopped.file) in said


def test_user_that_does_not_exist(stopped):
    if os.geteuid() != 0:
        pytest.skip("not root")
    stopped.configure({"user": "no-such-user"})
    status, said = run(stopped, "run")
    assert status == 78 and "no-such-user" in said


def test_address_in_use(stopped):
    with socket.create_server(("127.0.0.1", stopped.port)):
        status, said = run(stopped, "run")
    assert status in (69, 71, 78) and "Address already in use" in said
    assert stopped.file.name in said or str(stopped.port) in said


def test_run_dir_that_cannot_be(stopped):
    stopped.configure({"run_dir": "/proc/no"})
    status, said = run(stopped, "run")
    assert status == 73 and "/proc/no" in said


def test_nobody_answers(stopped):
    for command in ("reload", "status"):
        status, said = run(stopped, command)
        assert status == 69 and "not running" in said


def test_words(stopped):
    assert run(stopped, "nonsense")[0] == 64
    assert run(stopped)[0] == 64
    assert run(stopped, "run", "x")[0] == 64
    assert run(stopped, "check")[0] == 0
