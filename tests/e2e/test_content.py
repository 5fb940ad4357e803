"""The filter mime and the shipped policy: files and broken messages over SMTP, with archives that other
programs have made."""

import email.message
import email.policy
import io
import subprocess
import tarfile
import zipfile

import pytest

from kit.smtp import connect, message

SHIPPED = {"filters": {"mime": {}}, "policy": [{"include": "defaults/policy.yaml"}],
           "thresholds": {"tag": 4.5, "reject": 12}}


@pytest.fixture(scope="module")
def shipped(start_module):
    backend = start_module.scripted()
    return start_module.postern(SHIPPED, backend=backend)


def of_text(value):
    """For the names of tests: of bytes nothing, which differ each time they are made."""
    return value if isinstance(value, str) else ""


def with_file(name, content, maintype="application", subtype="octet-stream"):
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "c@example.com", "files"
    mail.set_content("See the file.\n")
    mail.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return mail.as_bytes()


def in_zip(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "x" * 1000)
    return out.getvalue()


def in_tar(kind, *names):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{kind}") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return out.getvalue()


def facts(record, key):
    return [one["value"] for one in record["facts"] if (one["filter"], one["key"]) == ("mime", key)]


def deliver(program, text):
    """(reply, record) of the message."""
    before = len([line for line in program.log_json() if "case" in line])
    with connect(program.port) as client:
        reply = client.mail("a@example.org", "c@example.com", text)
    program.wait_log(
        lambda _: len([line for line in program.log_json() if "case" in line]) > before)
    return reply, [line for line in program.log_json() if "case" in line][before]


def test_plain_message(shipped):
    reply, record = deliver(shipped, message("plain"))
    assert reply.code == 250
    assert facts(record, "result") == ["ok"] and facts(record, "attachment") == ["none"]
    assert facts(record, "parts") == ["1"] and facts(record, "depth") == ["1"]


@pytest.mark.parametrize("name, content", [
    ("invoice.pdf.exe", b"MZ" + bytes(200)),
    ("a.zip", in_zip("readme.txt", "invoice.pdf.js")),
    ("a.tgz", in_tar("gz", "invoice.pdf     .scr")),
], ids=of_text)
def test_disguised_program_is_refused(shipped, name, content):
    reply, record = deliver(shipped, with_file(name, content))
    assert reply.code == 550 and "named like a document" in reply.text
    assert record["verdict"]["rule"] == "disguised-program"
    assert facts(record, "double_extension") == ["yes"]


@pytest.mark.parametrize("name, content, kind", [
    ("setup.exe", b"MZ" + bytes(200), "executable"),
    ("report.pdf", b"MZ" + bytes(200), "executable"),
    ("a.zip", in_zip("setup.exe"), "archive"),
    ("a.tar", in_tar("", "a.txt", "b/run.vbs"), "archive"),
    ("a.tar.xz", in_tar("xz", "b/run.vbs"), "archive"),
], ids=of_text)
def test_program_counts(shipped, name, content, kind):
    reply, record = deliver(shipped, with_file(name, content))
    assert reply.code == 250 and record["verdict"]["action"] == "tag"
    assert record["verdict"]["score"] == 5
    assert facts(record, "executable") == ["yes"] and facts(record, "attachment") == [kind]


@pytest.mark.parametrize("name, content, kind", [
    ("a.txt", b"text", "text"),
    ("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(99), "image"),
    ("a.zip", in_zip("readme.txt", "photo.png"), "archive"),
    ("a.docx", in_zip("[Content_Types].xml", "word/document.xml"), "document"),
], ids=of_text)
def test_other_files_pass(shipped, name, content, kind):
    reply, record = deliver(shipped, with_file(name, content))
    assert reply.code == 250 and record["verdict"]["score"] == 0
    assert facts(record, "attachment") == [kind] and facts(record, "executable") == ["no"]


def test_macros_count(shipped):
    _, record = deliver(shipped, with_file("a.docx", in_zip("word/vbaProject.bin")))
    assert facts(record, "macro") == ["yes"] and record["verdict"]["score"] == 2


def test_two_messages_in_one(shipped):
    text = message("two", "--a\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", headers=(
        'Content-Type: multipart/mixed; boundary="a"\r\n'
        'Content-Type: multipart/mixed; boundary="b"\r\n'))
    _, record = deliver(shipped, text)
    assert record["verdict"]["score"] == 3
    assert set(facts(record, "fault")) >= {"type_twice", "boundary_twice"}
    assert facts(record, "result") == ["broken"] and facts(record, "parts") == ["3"]


def test_bomb_costs_little(shipped, tmp_path):
    """Half a gigabyte of nothing in 500 KB, and a program behind it: it is given up in time."""
    with open(tmp_path / "zeros", "wb") as zeros:
        zeros.truncate(512 << 20)
    (tmp_path / "setup.exe").write_bytes(b"x")
    bomb = subprocess.run(["tar", "-C", tmp_path, "-cz", "zeros", "setup.exe"],
                          capture_output=True, check=True).stdout
    reply, record = deliver(shipped, with_file("a.tgz", bomb))
    assert reply.code == 250 and facts(record, "unread") == ["yes"]
