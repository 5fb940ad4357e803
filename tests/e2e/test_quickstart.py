"""The demonstration keeps its word, and notices when it does not."""

import os
import pathlib
import shutil
import subprocess

import pytest

from kit.postern import SOURCE, program

ALLOW = "- { name: all, when: { ip_list: block }, do: accept }\n"


@pytest.fixture
def copy(start):
    """What quickstart needs of the source tree, where it may write."""
    folder = start.folder("quickstart")
    for name in ("quickstart", "tools", "rules/defaults"):
        (shutil.copytree if (SOURCE / name).is_dir() else shutil.copy)(SOURCE / name, folder / name)
    return folder


def run(folder, *words):
    return subprocess.run(
        [folder / "quickstart", *words], env={**os.environ, "POSTERN": str(program().absolute())},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50)


def test_three_mails_twice(copy):
    for _ in range(2):
        done = run(copy)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("as announced   ") == 3
        assert len(list((copy / "build-quickstart/demo/mail/new").iterdir())) == 1
    assert not left(copy)


def test_notices_what_is_not_as_announced(copy):
    policy = copy / "rules/defaults/policy.yaml"
    policy.write_text(ALLOW + policy.read_text())
    done = run(copy)
    assert done.returncode == 1
    assert done.stdout.count("as announced   ") == 2 and "NOT SO         2." in done.stdout
    assert "1 of 3 did not come out as announced" in done.stderr
    assert not left(copy)


def test_a_fault_is_shown(copy):
    (copy / "rules/defaults/policy.yaml").write_text("- { name: x, wehn: {} }\n")
    done = run(copy)
    assert done.returncode == 1
    assert "wehn" in done.stderr and "policy.yaml:1:" in done.stderr


def left(folder):
    """Processes that still have to do with this folder."""
    found = []
    for place in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words:
            found.append(words)
    return found
