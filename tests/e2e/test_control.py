"""The commands that a running postern answers."""

import json
import time

import pytest

from kit.process import wait_until


@pytest.fixture
def postern(start):
    return start.postern()


def quick(postern, *words):
    """As command(), and it may not take long, whoever else holds the socket by then."""
    begun = time.monotonic()
    answer = postern.command(*words)
    assert time.monotonic() - begun < 10
    return answer


def test_status_and_reload_answer_at_once(postern):
    assert json.loads(quick(postern, "status")[1])["reloads"] == 0
    for _ in range(2):
        assert quick(postern, "reload") == (0, "the new configuration is in force\n", "")
    assert json.loads(quick(postern, "status")[1])["reloads"] == 2


def test_reload_of_a_faulty_file_changes_nothing(postern):
    before = json.loads(quick(postern, "status")[1])
    text = postern.file.read_text()
    postern.file.write_text(text.replace("relay:", "realy:"))
    status, said, faults = quick(postern, "reload")
    assert status == 78 and said == ""
    assert 'unknown key "realy"; did you mean relay' in faults
    assert faults.endswith("the configuration stays as it was\n")
    after = json.loads(quick(postern, "status")[1])
    assert (after["policy"], after["reloads"]) == (before["policy"], 0)
    postern.file.write_text(text)
    assert quick(postern, "reload")[0] == 0


def test_nobody_is_there(postern):
    postern.stop()
    status, said, faults = quick(postern, "status")
    assert status == 69 and said == "" and "postern is not running here" in faults


def test_a_list_that_changes_is_read_again(start):
    postern = start.postern({"filters": {"ip_list": {"block": {"file": "block.txt"}}}},
                            files={"block.txt": "192.0.2.1\n"})
    (postern.folder / "block.txt").write_text("192.0.2.1\n192.0.2.2\n")
    wait_until(lambda: json.loads(quick(postern, "status")[1])["reloads"] == 1, 12, "a reload")
