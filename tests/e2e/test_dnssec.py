"""DNSSEC with a zone of our own: what is signed is believed, what was changed afterwards is an error."""

import json
import shutil
import subprocess

import pytest

from kit.postern import PosternProcess

ZONE = "100.51.198.in-addr.arpa"
RECORDS = "5 PTR mail.example.org.\n6 PTR mail.example.org.\n"
NAMES = "mail A 198.51.100.5\nmail A 198.51.100.6\n"
HEAD = (f"$ORIGIN {ZONE}.\n$TTL 60\n@ IN SOA ns.test. hostmaster.test. 1 60 60 60 60\n"
        "@ IN NS ns.test.\n")

pytestmark = pytest.mark.skipif(
    shutil.which("ldns-signzone") is None, reason="Debian's package ldnsutils is not there")


def tool(folder, *words):
    return subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True,
                          timeout=30).stdout.strip()


@pytest.fixture(scope="module")
def signed(start_module):
    """(name server, file of the key): the record of .6 is another one than was signed."""
    folder = start_module.folder("keys")
    key = tool(folder, "ldns-keygen", "-a", "ECDSAP256SHA256", "-k", ZONE)
    (folder / "zone").write_text(HEAD + RECORDS)
    tool(folder, "ldns-signzone", "-f", "signed", "zone", key)
    text = (folder / "signed").read_text()
    line = next(line for line in text.splitlines() if line.startswith("6.") and "\tPTR\t" in line)
    changed = line.replace("mail.example.org.", "evil.example.org.")
    assert changed != line
    text = text.replace(line, changed)
    return start_module.nsd({ZONE: text.replace("\tSOA\t", " SOA "), "example.org": NAMES}), \
        folder / f"{key}.key"


def explain(start, dns, address, **more):
    program = PosternProcess(
        start.folder("postern"), {
            "filters": {"ptr": {}}, "dns": {"servers": [f"127.0.0.1:{dns.port}"], **more},
            "policy": [{"name": "unknown", "when": {"ptr": "error"}, "do": "defer"}]}, dns=dns)
    mail = program.folder / "message.eml"
    mail.write_bytes(b"From: a@example.org\n\nHello.\n")
    status, out, err = program.command(
        "explain", mail, "--json", "--ip", address, "--from", "a@example.org",
        "--rcpt", "c@example.com")
    assert status == 0, (status, out, err)
    record = json.loads(out)
    return next(fact for fact in record["facts"] if fact["filter"] == "ptr"), record


def test_signed_record_is_believed(start, signed):
    server, anchor = signed
    fact, _ = explain(start, server, "198.51.100.5", trust_anchor=str(anchor))
    assert fact["value"] == "pass"


def test_changed_record_is_an_error(start, signed):
    server, anchor = signed
    fact, record = explain(start, server, "198.51.100.6", trust_anchor=str(anchor))
    assert fact["value"] == "error" and "validation failure" in json.dumps(fact)
    assert record["verdict"]["action"] == "defer" and record["verdict"]["rule"] == "unknown"


@pytest.mark.parametrize("anchor", ["auto", "none"])
def test_forwarders_are_believed_without_an_anchor(start, signed, anchor):
    """The changed record counts: its name has no such address."""
    fact, _ = explain(start, signed[0], "198.51.100.6", trust_anchor=anchor)
    assert fact["value"] != "error"


def test_anchor_that_is_no_anchor(start, signed):
    folder = start.folder("anchor")
    status, _, err = PosternProcess(folder, {
        "dns": {"trust_anchor": str(folder / "missing")}}).command("check")
    assert status != 0 and "cannot read" in err and "missing" in err
