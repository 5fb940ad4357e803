"""Bans by the command, and the store that they lie in: kept, shared, full, damaged, not there."""

import contextlib
import json
import os
import resource
import signal
import time

import pytest

from kit.process import wait_until
from kit.smtp import Smtp

POLICY = [{"name": "out", "when": {"ip_list": "block"}, "do": "reject", "speak": "at_once"},
          {"name": "unsure", "when": {"ip_list": "error"}, "do": "tag"}]
KEEPER = "postern-keeper"


@pytest.fixture
def postern(start):
    return start.postern({"policy": POLICY})


def greeting(postern, source):
    with Smtp(postern.port, source=source) as client:
        return client.reply().code


def command(postern, *words, status=0):
    got, said, faults = postern.command(*words)
    assert got == status, (words, said, faults)
    return said + faults


def listed(postern):
    return json.loads(command(postern, "bans", "--json"))


def state(postern):
    return json.loads(command(postern, "status"))["state"]


def keeper(postern):
    pids = postern.children(KEEPER)
    return pids[0] if pids else None


def test_ban_and_unban(postern):
    assert greeting(postern, "127.0.0.5") == 220
    said = command(postern, "ban", "127.0.0.5", "--for", "10m", "--reason", "it probes")
    assert said.startswith("127.0.0.5/32 is banned until ") and said.count("\n") == 1
    assert greeting(postern, "127.0.0.5") == 554
    assert greeting(postern, "127.0.0.6") == 220
    record = postern.wait_log(lambda line: line.get("point") == "connect")
    fact, = (fact for fact in record["facts"] if fact["filter"] == "ip_list")
    assert fact["value"] == "block" and fact["about"] == {"list": "ban"}
    assert fact["detail"].startswith("127.0.0.5/32 banned by postern ban, 10m left")
    assert fact["detail"].endswith(": it probes")
    row, = listed(postern)
    assert row["network"] == "127.0.0.5/32" and row["by"] == "postern ban"
    assert row["reason"] == "it probes" and row["since"] < row["until"]
    assert "127.0.0.5/32" in command(postern, "bans")
    assert command(postern, "unban", "127.0.0.5") == "127.0.0.5/32 is not banned any more\n"
    assert greeting(postern, "127.0.0.5") == 220
    assert listed(postern) == [] and command(postern, "bans") == ""
    assert "not among the bans" in command(postern, "unban", "127.0.0.5", status=65)


def test_networks_and_lengths(postern):
    command(postern, "ban", "127.0.7.0/24")
    command(postern, "ban", "127.0.7.9")
    command(postern, "ban", "2001:db8::/32")
    assert greeting(postern, "127.0.7.1") == 554
    assert greeting(postern, "127.0.8.1") == 220
    assert [row["network"] for row in listed(postern)] == [
        "127.0.7.0/24", "127.0.7.9/32", "2001:db8::/32"]
    command(postern, "unban", "127.0.7.9")
    assert greeting(postern, "127.0.7.9") == 554  # by the network


def test_a_ban_ends(postern):
    command(postern, "ban", "127.0.0.5", "--for", "1s")
    assert greeting(postern, "127.0.0.5") == 554
    wait_until(lambda: greeting(postern, "127.0.0.5") == 220, 5, "the end of the ban")
    assert listed(postern) == []
    wait_until(lambda: state(postern)["bans"] == 0, 10, "the purge")


@pytest.mark.parametrize("words, fault", [
    (["127.0.0.1"], "this machine itself"),
    (["0.0.0.0/0"], "this machine itself"),
    (["::/0"], "this machine itself"),
    (["10.0.0.0/8"], "relay: networks:"),
    (["10.1.2.3"], "relay: networks:"),
    (["8.0.0.0/6"], "relay: networks:"),
    (["192.0.2.25"], "a mail server behind"),
    (["192.0.2.0/24"], "a mail server behind"),
    (["127.0.0.0/30"], "this machine itself"),
    (["192.0.2.1/24"], "probably meant: 192.0.2.0/24"),
    (["nobody"], "no address or network"),
])
def test_what_is_not_banned(start, words, fault):
    hosts = {"servers": ["192.0.2.25:25"], "tls": "off"}
    postern = start.postern({"policy": POLICY, "backend": hosts,
                             "relay": {"domains": ["example.com"], "networks": ["10.0.0.0/8"]}})
    assert fault in command(postern, "ban", *words, status=65)
    assert listed(postern) == []


def test_a_mail_server_that_has_a_name(start):
    postern = start.postern({"policy": POLICY, "backend": {"servers": ["localhost:25"]}})
    assert "the mail server localhost:25" in command(postern, "ban", "127.0.0.1", status=65)


def test_wrong_words(postern):
    for words in (["ban"], ["ban", "192.0.2.1", "--for", "soon"], ["ban", "192.0.2.1", "--for"],
                  ["ban", "192.0.2.1", "192.0.2.2"], ["ban", "192.0.2.1", "--reason", "x" * 200],
                  ["unban"], ["bans", "--yaml"]):
        assert postern.command(*words)[0] == 64, words
    assert listed(postern) == []


def test_a_policy_that_takes_no_notice(start):
    postern = start.postern()
    assert "no rule of the policy refuses who is banned" in command(postern, "ban", "127.0.0.5")
    assert greeting(postern, "127.0.0.5") == 220


def test_the_shipped_policy_refuses_at_rcpt(start):
    postern = start.postern({"policy": [{"include": "defaults/policy.yaml"}], "filters": {}})
    assert command(postern, "ban", "127.0.0.5").count("\n") == 1
    with Smtp(postern.port, source="127.0.0.5") as client:
        client.greet()
        assert client.command("MAIL FROM:<a@example.org>").code == 250
        reply = client.command("RCPT TO:<c@example.com>")
    assert reply.code == 550 and "127.0.0.5 is blocked here" in reply.text


def test_allowed_wins(start):
    postern = start.postern({"policy": POLICY, "filters": {"ip_list": {"allow": ["127.0.0.5"]}}})
    command(postern, "ban", "127.0.0.5")
    assert greeting(postern, "127.0.0.5") == 220


def test_kept_over_a_restart(start):
    postern = start.postern({"policy": POLICY})
    command(postern, "ban", "127.0.0.5", "--reason", "stays")
    postern.stop()
    postern.start()
    assert greeting(postern, "127.0.0.5") == 554
    assert listed(postern)[0]["reason"] == "stays"
    postern.stop(signal.SIGKILL, status=-signal.SIGKILL)
    wait_until(lambda: not os.path.exists(f"/proc/{postern.pid}"), 10)
    time.sleep(0.5)  # the workers leave
    postern.start()
    assert greeting(postern, "127.0.0.5") == 554


def test_another_folder_is_for_the_next_start(start):
    postern = start.postern({"policy": POLICY})
    command(postern, "ban", "127.0.0.5")
    other = postern.folder / "other"
    postern.configure({"policy": POLICY, "state_dir": str(other)})
    assert postern.command("reload")[0] == 0
    postern.wait_log(lambda line: "until postern is started again" in line.get("message", ""))
    assert greeting(postern, "127.0.0.5") == 554
    postern.stop()
    postern.start()
    assert greeting(postern, "127.0.0.5") == 220 and other.is_dir()


def test_all_workers_know(start):
    """Each connection goes to any of them; a reload's new ones know, too."""
    postern = start.postern({"policy": POLICY, "workers": 4})
    command(postern, "ban", "127.0.0.5")
    assert {greeting(postern, "127.0.0.5") for _ in range(40)} == {554}
    assert postern.command("reload")[0] == 0
    assert {greeting(postern, "127.0.0.5") for _ in range(40)} == {554}
    command(postern, "unban", "127.0.0.5")
    assert {greeting(postern, "127.0.0.5") for _ in range(40)} == {220}


def test_many(postern):
    """More than a page of the list has."""
    for third in range(3):
        for fourth in range(5):
            command(postern, "ban", f"198.51.{third}.{fourth * 16}/28")
    assert len(listed(postern)) == 15
    assert len(command(postern, "bans").splitlines()) == 15


@pytest.mark.seconds(120)
def test_the_keeper_is_killed(postern):
    """Bans stay in force meanwhile, and a new one takes commands."""
    command(postern, "ban", "127.0.0.5")
    first = keeper(postern)
    os.kill(first, signal.SIGKILL)
    assert greeting(postern, "127.0.0.5") == 554
    wait_until(lambda: keeper(postern) not in (None, first), 10, "a new keeper")
    wait_until(lambda: postern.command("ban", "127.0.0.6")[0] == 0, 10, "its answer")
    assert greeting(postern, "127.0.0.6") == 554
    postern.wait_log(lambda line: "the keeper was ended by signal 9" in line.get("message", ""))


def test_signals_for_all_do_not_end_the_keeper_first(postern):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(keeper(postern), number)
    command(postern, "ban", "127.0.0.5")
    assert greeting(postern, "127.0.0.5") == 554


AUTOMATIC = [POLICY[0],
             {"name": "trap", "when": {"relay": "domain"}, "do": "ban", "for": "10m",
              "text": "5.7.1 that was one too many"}]


def fall_into_the_trap(postern, source=None):
    """The record of the refusal."""
    with Smtp(postern.port, source=source) as client:
        client.greet()
        client.command("MAIL FROM:<a@example.org>")
        reply = client.command("RCPT TO:<c@example.com>")
        client.command("RCPT TO:<d@example.com>")
    assert reply.code == 550 and "one too many" in reply.text
    case = reply.text.rpartition("(case ")[2].rstrip(")")
    return postern.wait_log(lambda line: line.get("case") == case)


def test_a_rule_bans(start):
    postern = start.postern({"policy": AUTOMATIC, "workers": 3})
    verdict = fall_into_the_trap(postern, "127.0.0.5")["verdict"]
    assert verdict["action"] == "reject" and verdict["rule"] == "trap"
    assert verdict["ban"].startswith("127.0.0.5/32 until ")
    wait_until(lambda: greeting(postern, "127.0.0.5") == 554, 5, "the ban")
    assert {greeting(postern, "127.0.0.5") for _ in range(20)} == {554}
    row, = listed(postern)
    assert row["network"] == "127.0.0.5/32" and row["by"] == "rule trap"
    assert row["reason"].startswith("case ")
    assert greeting(postern, "127.0.0.6") == 220
    postern.stop()
    postern.start()
    assert greeting(postern, "127.0.0.5") == 554


@pytest.mark.parametrize("source, more, why", [
    (None, {}, "this would ban this machine itself"),
    ("127.0.0.5", {"filters": {"ip_list": {"allow": ["127.0.0.5"]}}},
     "it is on the list of the allowed"),
    ("127.0.0.5", {"relay": {"domains": ["example.com"], "networks": ["127.0.0.5"]}},
     "this would ban one of relay: networks:"),
    ("127.0.0.5", {"backend": {"servers": ["127.0.0.5:25"]}},
     "this would ban a mail server behind postern (backend: servers:)"),
])
def test_whom_a_rule_does_not_ban(start, source, more, why):
    postern = start.postern({"policy": AUTOMATIC, **more})
    assert fall_into_the_trap(postern, source)["verdict"]["ban"] == f"not banned: {why}"
    time.sleep(0.5)
    assert listed(postern) == []


def test_a_rule_in_shadow_bans_nobody(start):
    rules = [AUTOMATIC[0], {**AUTOMATIC[1], "mode": "shadow"}]
    postern = start.postern({"policy": rules})
    with Smtp(postern.port, source="127.0.0.5") as client:
        client.greet()
        client.command("MAIL FROM:<a@example.org>")
        client.command("RCPT TO:<c@example.net>")  # refused by relay, and so recorded
    time.sleep(0.5)
    assert listed(postern) == []
    postern.configure({"policy": AUTOMATIC, "mode": "shadow"})
    assert postern.command("reload")[0] == 0
    with Smtp(postern.port, source="127.0.0.5") as client:
        client.greet()
        client.command("MAIL FROM:<a@example.org>")
        client.command("RCPT TO:<c@example.com>")
    time.sleep(0.5)
    assert listed(postern) == []


def test_a_rule_bans_at_once(start):
    rules = [AUTOMATIC[0], {"name": "early", "when": {"smtp.early_talker": True}, "do": "ban",
                            "speak": "at_once"}]
    postern = start.postern({"policy": rules, "greet_delay": "500ms"})
    with Smtp(postern.port, source="127.0.0.5") as client:
        client.line("EHLO early")
        assert client.reply().code == 554
    wait_until(lambda: listed(postern), 5, "the ban")
    assert listed(postern)[0]["by"] == "rule early"


def spoil(postern, how):
    data = postern.folder / "state" / "state" / "data.mdb"
    size = data.stat().st_size
    with open(data, "r+b") as file:
        if how == "head":
            file.write(b"\x17" * 8192)
        elif how == "cut":
            file.truncate(size // 2 // 4096 * 4096)
        else:
            file.seek(8192)
            file.write(bytes(i * 151 % 251 for i in range(size - 8192)))


@pytest.mark.parametrize("how", ["head", "cut", "body"])
def test_damaged(start, how):
    """Said once; mail goes on, with the fact error; a new folder and a reload mend it."""
    postern = start.postern({"policy": POLICY})
    for i in range(5):
        command(postern, "ban", f"198.51.100.{i}")
    command(postern, "ban", "127.0.0.5")
    postern.stop()
    spoil(postern, how)
    postern.start()
    assert greeting(postern, "127.0.0.5") == 220
    postern.wait_log(lambda line: line.get("event") == "state" and line["level"] == "error"
                     and "nothing is remembered" in line["message"])
    with Smtp(postern.port, source="127.0.0.5") as client:
        client.greet()
        client.command("MAIL FROM:<a@example.org>")
        client.command("RCPT TO:<c@example.net>")
    record = postern.wait_log(lambda line: line.get("point") == "rcpt")
    assert [fact["value"] for fact in record["facts"] if fact["filter"] == "ip_list"] == ["error"]
    assert "not open" in command(postern, "ban", "127.0.0.5", status=69)
    assert state(postern)["open"] is False
    folder = postern.folder / "state" / "state"
    folder.rename(postern.folder / "state" / "old")
    folder.mkdir()
    folder.chmod(0o777)
    assert postern.command("reload")[0] == 0
    command(postern, "ban", "127.0.0.5")
    assert greeting(postern, "127.0.0.5") == 554


def test_a_folder_that_cannot_be_written(start):
    postern = start.postern({"policy": POLICY, "state_dir": "/proc/nowhere"})
    assert greeting(postern, "127.0.0.5") == 220
    line = postern.wait_log(lambda line: line.get("event") == "state")
    assert line["level"] == "error" and line["message"].startswith("/proc/nowhere/state: ")
    assert "not open" in command(postern, "bans", status=69)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts what another user owns")
def test_a_folder_of_somebody_else(start):
    postern = start.postern({"policy": POLICY})
    postern.stop()
    folder = postern.folder / "state" / "state"
    with contextlib.suppress(FileNotFoundError):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    folder.mkdir(mode=0o700)  # root's; the workers' user may not
    postern.start()
    line = postern.wait_log(lambda line: line.get("event") == "state")
    assert "Permission denied" in line["message"]
    assert greeting(postern, "127.0.0.5") == 220


def limit_files(pid, size):
    """A limit on a file's size is to a program as a disk that is full."""
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


@pytest.mark.seconds(120)
def test_the_disk_is_full(start):
    """What is new is lost, that is said once, and what is there stays; then it goes on."""
    postern = start.postern({"policy": POLICY, "user": ""})  # ours, so that it can be limited
    command(postern, "ban", "127.0.0.5")
    limit_files(keeper(postern), 64 * 1024)
    for i in range(300):
        status, _, faults = postern.command("ban", f"198.51.{i % 256}.{i}/32", "--reason", "x" * 120)
        if status:
            break
    assert "could not be" in faults
    assert postern.command("ban", "127.0.0.6")[0] != 0
    assert greeting(postern, "127.0.0.5") == 554
    assert greeting(postern, "127.0.0.6") == 220
    wait_until(lambda: state(postern)["lost"] > 0, 10, "the count")
    time.sleep(2)
    said = [line for line in postern.log_json() if line.get("event") == "state"]
    assert len(said) == 1 and "what is new is lost" in said[0]["message"]
    limit_files(keeper(postern), resource.RLIM_INFINITY)
    wait_until(lambda: postern.command("ban", "127.0.0.6")[0] == 0, 10, "room")
    assert greeting(postern, "127.0.0.6") == 554
    postern.stop()
    postern.start()
    assert greeting(postern, "127.0.0.5") == 554 and greeting(postern, "127.0.0.6") == 554


def test_explain_knows_of_bans(postern):
    command(postern, "ban", "192.0.2.7", "--reason", "known")
    mail = postern.folder / "mail.eml"
    mail.write_text("Subject: x\r\n\r\nhello\r\n")
    for ip, value in (("192.0.2.7", "block"), ("192.0.2.8", "none")):
        status, said, _ = postern.command("explain", mail, "--ip", ip, "--json", "--rcpt",
                                          "c@example.com", "--from", "a@example.org")
        fact, = (fact for fact in json.loads(said)["facts"] if fact["filter"] == "ip_list")
        assert fact["value"] == value
    assert len(listed(postern)) == 1


def test_nothing_of_the_store_is_open_to_others(postern):
    folder = postern.folder / "state" / "state"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
