"""DKIM: others' signatures, with real name servers; our own, verified by others."""

import json
import re
import shutil
import subprocess

import dkim
import pytest

from kit.namespace import network
from kit.smtp import connect, message

KEYS = {"rsa": ("s1", "rsa"), "ed25519": ("ed", "ed25519")}


def facts_of(record, key):
    return [fact for fact in record["facts"] if (fact["filter"], fact["key"]) == ("dkim", key)]


# The vectors, over the wire

def keys_of(vectors):
    """name -> [(type, data)]"""
    zone = {}
    for line in (vectors / "dkim" / "zone.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, kind, data = (line.split("\t") + [""])[:3]
        zone.setdefault(name, []).append((kind, data))
    return zone


@pytest.fixture(scope="module")
def resolver(start_module, vectors):
    lines = [f"{name}. {kind} {data}" for name, rows in keys_of(vectors).items()
             for kind, data in rows if kind in ("TXT", "CNAME") and re.fullmatch(r"[\w.-]+", name)]
    return start_module.nsd({".": "\n".join(lines)})


def expectations(vectors):
    """file -> [(domain, selector, words)], of messages that SMTP carries as they are."""
    zone, files = keys_of(vectors), {}
    for line in (vectors / "dkim" / "expect.tsv").read_text().splitlines()[1:]:
        file, number, domain, selector, result, also, sure, *_ = line.split("\t")
        words = {word.replace("neutral", "permerror") for word in [result, *also.split(",")]}
        files.setdefault(file, []).append((domain, selector, words, sure == "yes"))
    for file, rows in files.items():
        names = [f"{selector}._domainkey.{domain}" for domain, selector, *_ in rows]
        raw = (vectors / "dkim" / "messages" / file).read_bytes()
        is_plain = raw.endswith(b"\r\n") and not re.search(b"\r(?!\n)|(?<!\r)\n|\0", raw)
        if (is_plain and all(row[3] for row in rows)
                and all(kind in ("TXT", "CNAME") for name in names for kind, _ in zone.get(name, []))):
            yield file, raw, rows


@pytest.mark.seconds(120)
@pytest.mark.parametrize("delivery", ["hold", "stream"])
def test_vectors(start, resolver, vectors, delivery):
    backend = start.scripted()
    program = start.postern({"filters": {"dkim": {}}, "delivery": delivery,
                             "limits": {"message_size": "10M"}}, backend=backend, dns=resolver)
    wrong, count = [], 0
    with connect(program.port) as client:
        for file, raw, rows in expectations(vectors):
            assert client.mail("a@example.org", "c@example.com", raw).code == 250, file
            count += 1
            records = [line for line in program.log_json() if "case" in line]
            while len(records) < count:
                program.wait_log(lambda line: "case" in line)
                records = [line for line in program.log_json() if "case" in line]
            wrong += [f"{file}: {row[:3]}: {records[-1]['facts']}" for row in rows
                      if not is_met(records[-1], row)]
            assert backend.mails[-1].raw.endswith(raw), file
    assert not wrong, "\n".join(wrong)
    assert count > 150


def is_met(record, row):
    domain, selector, words, _ = row
    if words == {"none", "-"}:
        return [fact["value"] for fact in facts_of(record, "result")] == ["none"]
    for fact in facts_of(record, "signature"):
        about = fact.get("about")
        is_this = (about is None or "permerror" in words
                   or (about["domain"], str(about["selector"])) == (domain, selector))
        if is_this and fact["value"] in words:
            return True
    return False


@pytest.mark.parametrize("file", ["own-alg-ed.eml", "own-alg-sha1.eml", "own-double-rsa-ed.eml",
                                  "own-key-ts-sub.eml", "own-h-names-every-field-good.eml", "own-none.eml"])
def test_explain(start, resolver, vectors, file):
    path = vectors / "dkim" / "messages" / file
    program = start.postern({"filters": {"dkim": {}}}, dns=resolver)
    status, out, error = program.command("explain", path, "--ip", "192.0.2.1", "--helo", "h.example.org",
                                         "--from", "a@example.org", "--rcpt", "c@example.com", "--json")
    assert (status, error) == (0, "")
    rows = dict((name, rows) for name, _, rows in expectations(vectors)).get(file, [])
    assert all(is_met(json.loads(out), row) for row in rows), out


# Authentication-Results

def test_authentication_results(start, resolver, vectors):
    raw = (vectors / "dkim" / "messages" / "own-double-rsa-ed.eml").read_bytes()
    for delivery, want in (("hold", ["dkim=pass"] * 2), ("auto", ["dkim=pass"] * 2), ("stream", [])):
        backend = start.scripted()
        program = start.postern({"filters": {"dkim": {}}, "delivery": delivery}, backend=backend,
                                dns=resolver)
        with connect(program.port) as client:
            assert client.mail("a@example.org", "c@example.com", raw).code == 250
        lines = backend.mails[0].raw.decode().split("\r\n")
        assert lines[0].startswith("Authentication-Results: mx.example.com;")
        assert [word for line in lines[:3] for word in line.split() if "=pass" in word] == want
        if delivery == "stream":
            assert lines[0] == "Authentication-Results: mx.example.com; none"
        else:
            assert lines[1] == "\tdkim=pass header.d=example.org header.s=ed header.a=ed25519-sha256;"
            assert lines[3].startswith("Received: ")
        assert backend.mails[0].raw.endswith(raw)


OURS = [
    b"Authentication-Results: mx.example.com; dkim=pass header.d=bank.test\r\n",
    b"authentication-results: MX.Example.COM; spf=pass\r\n",
    b"AUTHENTICATION-RESULTS:mx.example.com;dkim=pass\r\n",
    b"Authentication-Results:\r\n\tmx.example.com;\r\n\tdkim=pass\r\n",
    b"Authentication-Results: (no) mx.example.com (comment (in it)) 1; dkim=pass\r\n",
    b"Authentication-Results: (\\) mx) mx.example.com; dkim=pass\r\n",
    b"Authentication-Results: \"mx.example.com\"; dkim=pass\r\n",
    b"Authentication-Results: mx.example.com\r\n",
    b"Authentication-Results: mx.example.com/1; none\r\n",
    b"Authentication-Results : mx.example.com; dkim=pass\r\n",
    b"Authentication-Results: \"mx\\.example.com\"; dkim=pass\r\n",
]
OTHERS = [
    b"Authentication-Results: mx.example.org; dkim=pass\r\n",
    b"Authentication-Results: mx.example.com.example.org; dkim=pass\r\n",
    b"Authentication-Results: x (mx.example.com); dkim=pass\r\n",
    b"X-Authentication-Results: mx.example.com; dkim=pass\r\n",
    b"ARC-Authentication-Results: i=1; mx.example.com; dkim=pass\r\n",
]


@pytest.mark.parametrize("delivery", ["hold", "stream"])
@pytest.mark.parametrize("place", ["top", "middle", "bottom", "everywhere"])
def test_incoming_results_in_our_name(start, resolver, token, delivery, place):
    """Taken out wherever they stand; nothing else is touched."""
    backend = start.scripted()
    program = start.postern({"filters": {"dkim": {}}, "delivery": delivery}, backend=backend,
                            dns=resolver)
    head, body = message(token).split(b"\r\n\r\n", 1)
    lines = [line + b"\r\n" for line in head.split(b"\r\n")]
    lines = [field for pair in zip(lines, OTHERS) for field in pair]
    with connect(program.port) as client:
        for forged in OURS:
            at = {"top": [0], "middle": [len(lines) // 2], "bottom": [len(lines)],
                  "everywhere": range(len(lines) + 1)}[place]
            fields = [piece for number, line in enumerate([*lines, b""])
                      for piece in ([forged, line] if number in at else [line])]
            text = b"".join(fields) + b"\r\n" + body
            assert client.mail("a@example.org", "c@example.com", text).code == 250
            added, mail = backend.mails[-1].raw.split(b"Received: ", 1)
            assert added.startswith(b"Authentication-Results: mx.example.com;"), added
            rest = mail[mail.index(lines[0]):]
            assert rest == b"".join(lines) + b"\r\n" + body, forged


def test_our_name_is_another(start, resolver, token):
    backend = start.scripted()
    program = start.postern({"filters": {"dkim": {}}, "authserv_id": "gate.example.com"},
                            backend=backend, dns=resolver)
    ours = "Authentication-Results: Gate.example.com; dkim=pass\r\n"
    other = "Authentication-Results: mx.example.com; dkim=pass\r\n"
    with connect(program.port) as client:
        text = message(token, headers=ours + other)
        assert client.mail("a@example.org", "c@example.com", text).code == 250
    raw = backend.mails[0].raw.decode()
    assert raw.startswith("Authentication-Results: gate.example.com;\r\n\tdkim=none\r\n")
    assert ours not in raw and other in raw


# Signing

@pytest.fixture(scope="module")
def keys(start_module):
    """postern dkim-key: name of a kind -> (selector, file, record as a line of a zone)."""
    program = start_module.postern()
    made = {}
    for kind, (selector, word) in KEYS.items():
        file = program.folder / f"{kind}.pem"
        status, out, error = program.command("dkim-key", "new", "example.com", "--selector", selector,
                                             "--type", word, "--out", file)
        assert status == 0 and not error
        assert file.stat().st_mode & 0o777 == 0o600
        record = "".join(line for line in out.splitlines(True) if not line.startswith(";"))
        status, out, error = program.command("dkim-key", "show", file, "--domain", "example.com",
                                             "--selector", selector)
        assert (status, out, error) == (0, record, "")
        made[kind] = (selector, file, record)
    return made


def signing(keys, *kinds, domain="example.com"):
    return {"filters": {"dkim": {"sign": [
        {"domain": domain, "selector": keys[kind][0], "key": str(keys[kind][1])} for kind in kinds]}},
        "relay": {"domains": ["example.com"], "networks": ["127.0.0.0/8"]}}


def look_up(keys):
    """For dkimpy: the records that postern dkim-key has printed."""
    zone = {f"{selector}._domainkey.example.com.".encode(): "".join(re.findall('"(.*?)"', record))
            for selector, _, record in keys.values()}

    def ask(name, timeout=5):
        return zone[name].encode() if name in zone else None
    return ask


def without_added(raw):
    """From the first field that signatures are about."""
    return raw[raw.index(b"DKIM-Signature:"):] if b"DKIM-Signature:" in raw else raw


BODIES = {
    "short": b"Hello.\r\n",
    "empty": b"",
    "blanks": b" a  b\t\tc \r\n\r\n \t\r\n.\r\n..\r\nend \r\n\r\n\r\n",
    "only-lines": b"\r\n\r\n \r\n",
    "8bit": "Grüße\r\n".encode() * 3,
    "long-line": b"x" * 900 + b"\r\n" + b"word " * 190 + b"\r\n",
    "large": b"0123456789 abcdefghijklmnopqrstuvwxyz \r\n" * 20000,
}


@pytest.mark.parametrize("kinds", [["rsa"], ["ed25519"], ["rsa", "ed25519"]], ids="+".join)
def test_signed_mail_is_verified_by_dkimpy(start, keys, kinds):
    backend = start.scripted(extensions=["PIPELINING", "SIZE 100000000", "8BITMIME"])
    program = start.postern(signing(keys, *kinds), backend=backend)
    with connect(program.port) as client:
        for name, body in BODIES.items():
            text = message(name, sender="\"A, B\" <a@example.com>", to="x@example.net",
                           headers="Cc: y@example.net,\r\n\t z@example.net \r\nReply-To:  a@example.com\r\n")
            text = text[:text.index(b"\r\n\r\n") + 4] + body
            assert client.mail("a@example.com", "x@example.net", text).code == 250
            raw = backend.mails[-1].raw
            assert raw.endswith(text) and raw.count(b"DKIM-Signature:") == len(kinds)
            for index in range(len(kinds)):
                verifier = dkim.DKIM(without_added(raw))
                assert verifier.verify(idx=index, dnsfunc=look_up(keys)), (name, index)
                assert verifier.domain == b"example.com"
            # From, To and Subject cannot be said a second time.
            for forged in (b"From: evil@example.com\r\n", b"Subject: other\r\n", b"To: q@example.net\r\n"):
                for where in (forged + without_added(raw),
                              without_added(raw).replace(b"\r\nTo:", b"\r\n" + forged + b"To:", 1)):
                    assert not dkim.DKIM(where).verify(dnsfunc=look_up(keys))


def test_who_is_signed(start, keys):
    """Mail that goes out, of an author whose domain has a key; no other."""
    backend = start.scripted()
    configuration = signing(keys, "rsa")
    configuration["relay"]["networks"] = ["127.0.0.88"]
    program = start.postern(configuration, backend=backend)
    cases = [("127.0.0.88", "a@example.com", ["x@example.net"], 1),
             ("127.0.0.88", "a@example.com", ["c@example.com", "x@example.net"], 1),
             ("127.0.0.88", "a@example.com", ["c@example.com"], 0),
             ("127.0.0.88", "a@example.org", ["x@example.net"], 0),
             ("127.0.0.88", "a@sub.example.com", ["x@example.net"], 0),
             ("127.0.0.88", "a@example.com, b@example.org", ["x@example.net"], 0),
             ("127.0.0.77", "a@example.com", ["c@example.com"], 0)]
    for source, author, recipients, count in cases:
        with connect(program.port, source=source) as client:
            text = message("who", sender=author)
            assert client.mail("a@example.com", recipients, text).code == 250
        assert backend.mails[-1].raw.count(b"DKIM-Signature:") == count, (author, recipients)


def test_authenticated_mail_is_signed(start, keys):
    backend = start.scripted(users={"alice": "secret"})
    configuration = signing(keys, "rsa")
    configuration["relay"] = {"domains": ["example.com"]}
    port_free = {**configuration}
    program = start.postern(port_free, backend=backend)
    program.stop()
    program.configure({**configuration, "listen": [
        {"address": f"127.0.0.1:{program.port}", "tls": "off", "auth_without_tls": True}]})
    program.start()
    with connect(program.port) as client:
        assert client.command("AUTH PLAIN AGFsaWNlAHNlY3JldA==").code == 235
        assert client.mail("a@example.com", "x@example.net",
                           message("auth", sender="a@example.com")).code == 250
    raw = backend.mails[-1].raw
    assert b"\r\n\tauth=pass smtp.auth=alice;" in raw.split(b"DKIM-Signature:")[0]
    assert dkim.DKIM(without_added(raw)).verify(dnsfunc=look_up(keys))
    program.stop()


def test_stream_and_sign_is_a_fault(start, keys):
    program = start.postern()
    program.configure({**signing(keys, "rsa"), "delivery": "stream"})
    status, _, error = program.command("check")
    assert status == 78 and "delivery" not in error.splitlines()[0].split(":")[0]
    assert "stream cannot be" in error and "dkim" in error
    program.configure({**signing(keys, "rsa"), "delivery": "auto"})
    assert program.command("check")[0] == 0


@pytest.mark.parametrize("what, words", [("nothing.pem", "No such file"), ("postern.yaml", "PEM")])
def test_bad_keys_are_faults(start, keys, what, words):
    program = start.postern()
    configuration = signing(keys, "rsa")
    configuration["filters"]["dkim"]["sign"][0]["key"] = what
    program.configure(configuration)
    line = next(number for number, text in enumerate(program.file.read_text().splitlines(), 1)
                if "key: " in text)
    status, _, error = program.command("check")
    assert status == 78 and f"postern.yaml:{line}:" in error and words in error


def test_key_is_not_overwritten(start):
    program = start.postern()
    file = program.folder / "key.pem"
    assert program.command("dkim-key", "new", "example.com", "--out", file)[0] == 0
    before = file.read_bytes()
    status, out, error = program.command("dkim-key", "new", "example.com", "--out", file)
    assert status == 73 and out == "" and "exists" in error
    assert file.read_bytes() == before
    for words in ([], ["new"], ["new", "a b"], ["new", "a", "b"], ["old", "a"], ["new", "a", "--bits"],
                  ["new", "a", "--bits", "512"], ["new", "a", "--type", "dsa"], ["new", "a", "--x", "y"]):
        status, out, error = program.command("dkim-key", *words)
        assert (status, out) == (64, "") and error, words


@pytest.mark.parametrize("canon", [(a, b) for a in (b"simple", b"relaxed")
                                   for b in (b"simple", b"relaxed")], ids=b"/".join)
def test_signed_by_dkimpy(start, keys, canon):
    """What it signs passes here."""
    zone = "\n".join(record for _, _, record in keys.values())
    program = start.postern({"filters": {"dkim": {}}}, backend=start.scripted(),
                            dns=start.nsd({".": zone}))
    with connect(program.port) as client:
        for name, body in BODIES.items():
            text = message(name, sender="a@example.com", headers="Cc:  y@example.net,\r\n\tz@z.test\r\n")
            text = text[:text.index(b"\r\n\r\n") + 4] + body
            selector, file, _ = keys["rsa"]
            field = dkim.sign(text, selector.encode(), b"example.com", file.read_bytes(),
                              canonicalize=canon)
            assert client.mail("a@example.com", "c@example.com", field + text).code == 250
    values = [facts_of(line, "result")[0] for line in program.log_json() if "case" in line]
    assert [(fact["value"], fact["detail"]) for fact in values] == [("pass", "example.com")] * len(BODIES)


# OpenDKIM's own program

def opendkim_testmsg(text, *words):
    path = shutil.which("opendkim-testmsg", path="/usr/sbin:/usr/bin")
    if path is None:
        pytest.skip("no opendkim-testmsg")
    return subprocess.run([*words, path], input=text, capture_output=True, timeout=60)


def test_opendkim_verifies(start, keys):
    """It asks the machine's resolver: in a network and with a resolv.conf of our own."""
    with network("198.51.100.0/24"):
        records = "\n".join(record for _, _, record in keys.values())
        start.nsd({".": records}, port=53)
        conf = start.folder("resolver") / "resolv.conf"
        conf.write_text("nameserver 127.0.0.1\n")
        inside = ["unshare", "-m", "sh", "-c",
                  f"mount --bind {conf} /etc/resolv.conf && exec \"$0\" \"$@\""]
        if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
            pytest.skip("no file system of our own")
        backend = start.scripted()
        program = start.postern(signing(keys, "rsa", "ed25519"), backend=backend)
        with connect(program.port) as client:
            for name, body in BODIES.items():
                text = message(name, sender="a@example.com", to="x@example.net")
                text = text[:text.index(b"\r\n\r\n") + 4] + body
                assert client.mail("a@example.com", "x@example.net", text).code == 250
                signed = without_added(backend.mails[-1].raw)
                done = opendkim_testmsg(signed, *inside)
                assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), (name, done)
        assert opendkim_testmsg(signed.replace(b"abc", b"abd", 1), *inside).returncode != 0
