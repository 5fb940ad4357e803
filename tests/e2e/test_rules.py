"""The filter rules: files of rules beside the configuration, over SMTP, in check, reload and explain."""

import email.message
import email.policy
import json
import os
import re
import time

import pytest

from kit.process import wait_until
from kit.smtp import connect, message

# A rule for each place, and some that must not hold for MESSAGE.
PLACES = r"""
- { name: shown, reason: as a reader sees it, in: body, match: '\byou have won\b', score: 1.5 }
- { name: soft-break, match: 'free money' }
- { name: source, in: html, match: '<!-- *tracked *-->' }
- { name: subject, field: subject, match: '^Ein Präsent für Sie$' }
- { name: any-field, in: header, match: '^x-mailer: .*bulk' }
- { name: uri, in: uri, match: '[?&]uid=\d+$' }
- { name: host, in: host, match: '(^|\.)evil\.example$' }
- { name: file, in: attachment, match: '^r\x{e9}sumé\.exe$' }
- { name: helo, in: helo, match: '^client\.example\.org$' }
- { name: sender, in: mail_from, match: '^a@example\.org$', score: -0.25 }
- { name: recipient, in: rcpt_to, match: '^c@' }
- { name: cased, in: body, match: '(?-i)you have won' }
- { name: nowhere, in: html, match: 'you have won' }
- { name: other-field, field: To, match: Präsent }
- { name: half, in: body, match: 'free mo$' }
"""
# How terms go together; of the same message.
TERMS = r"""
- { name: win, quiet: yes, in: body, match: 'you have won' }
- { name: lost, quiet: yes, in: body, match: 'you have lost' }
- { name: all-yes, all: [ win, { field: Subject, match: Sie } ] }
- { name: all-no, all: [ win, lost ] }
- { name: any-yes, any: [ lost, { in: html, match: tracked } ] }
- { name: any-no, any: [ lost, { in: html, match: traced } ] }
- { name: none-yes, all: [ win ], none: [ lost, { field: List-Id, match: . } ] }
- { name: none-no, all: [ win ], none: [ lost, { field: X-Mailer, match: . } ] }
- { name: count-yes, count: { least: 2, of: [ win, lost, any-yes ] }, score: 0.5 }
- { name: count-no, count: { least: 3, of: [ win, lost, any-yes ] }, score: 100 }
- { name: both, in: attachment, match: exe, all: [ count-yes ], none: [ count-no ] }
"""
HOLD = {
    "shown": ("body", "1.2"), "soft-break": ("body", "1.1"), "source": ("html", "1.2"),
    "subject": ("subject", None), "any-field": ("header", None), "uri": ("uri", "1.2"),
    "host": ("host", "1.2"), "file": ("attachment", "1.3"), "helo": ("helo", None),
    "sender": ("mail_from", None), "recipient": ("rcpt_to", None),
    "all-yes": ("body", "1.2"), "any-yes": ("html", "1.2"), "none-yes": ("body", "1.2"),
    "count-yes": ("body", "1.2"), "both": ("body", "1.2"),
}
MESSAGE = b"""\
From: a@example.org
To: c@example.com
Subject: =?utf-8?Q?Ein_Pr=C3=A4?= =?utf-8?B?c2VudCBm?=
 =?utf-8?Q?=C3=BCr?= Sie
X-Mailer: Great =?us-ascii?Q?Bulk?= Mailer
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: quoted-printable

There is free mo=
ney  =
for
everybody.
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+WW91IGgmIzk3O3ZlCiA8Yj53PC9iPm9uLjwvcD48IS0tIHRyYWNrZWQgLS0+PGEgaHJlZj0i
aHR0cDovL1dXVy5FdmlsLmV4YW1wbGUvP3VpZD00MiI+aGVyZTwvYT4K
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename*0*=utf-8''r%C3%A9sum; filename*1*=%C3%A9.exe

MZ
--b--
""".replace(b"\n", b"\r\n")


def facts(record, key="result"):
    return {one["value"]: one for one in record["facts"]
            if (one["filter"], one["key"]) == ("rule", key)}


def record_of(postern, reply):
    """By the case number that the client was told, or the last of those that were delivered."""
    case = re.search(r"\(case (\w+)\)$", reply.text)
    if case:
        return postern.wait_log(lambda line: line.get("case") == case[1])
    return [line for line in postern.log_json() if "case" in line][-1]


def deliver(postern, text, sender="a@example.org"):
    """(reply, record) of the message."""
    before = len([line for line in postern.log_json() if "case" in line])
    with connect(postern.port) as client:
        reply = client.mail(sender, "c@example.com", text)
    wait_until(lambda: len([line for line in postern.log_json() if "case" in line]) > before)
    return reply, record_of(postern, reply)


def rules(*names, **more):
    """A configuration with these files of rules."""
    return {"filters": {"rules": {"files": list(names)}}, **more}


@pytest.fixture(scope="module")
def places(start_module):
    return start_module.postern(
        rules("rules/*.yaml", policy=[
            {"name": "sum", "score": "rule.score"},
            {"name": "no-gifts", "when": {"rule": "gift"}, "do": "reject",
             "text": "5.7.1 no gifts: {detail}"},
        ], thresholds={"tag": 1.75, "reject": 6}),
        backend=start_module.scripted(),
        files={"rules/1-places.yaml": PLACES, "rules/2-terms.yaml": TERMS, "rules/3-gift.yaml":
               "- { name: gift, reason: free gifts, field: Subject, match: '^free gift', score: 3 }\n"
               "- { name: much, in: body, match: 'very much money', score: 6.5 }\n"})


def test_each_place(places):
    reply, record = deliver(places, MESSAGE)
    assert reply.code == 250
    seen = {name: (one["about"]["in"], one["about"].get("part"))
            for name, one in facts(record).items()}
    assert {name: (where, str(part) if part is not None else None)
            for name, (where, part) in seen.items()} == HOLD
    assert facts(record)["shown"]["detail"] == "as a reader sees it"
    assert list(facts(record, "score")) == ["1.75"] and list(facts(record, "error")) == ["none"]
    # 1.5 - 0.25 + 0.5: the tag's threshold.
    assert record["verdict"]["action"] == "tag" and record["verdict"]["score"] == 1.75


def test_order_of_arrival_is_nothing(places):
    """The same message in small pieces."""
    with connect(places.port) as client:
        client.envelope("a@example.org", "c@example.com")
        assert client.command("DATA").code == 354
        client.send_slowly(MESSAGE + b".\r\n", size=7)
        assert client.reply().code == 250
    record = places.wait_log(lambda line: "case" in line and set(facts(line)) == set(HOLD))
    assert record["verdict"]["score"] == 1.75


def test_nothing_holds(places):
    with connect(places.port) as client:
        client.ehlo("other.example.org")
        reply = client.mail("b@example.org", "d@example.com", message("plain"))
    assert reply.code == 250
    record = places.wait_log(lambda line: line.get("from") == "b@example.org")
    assert list(facts(record)) == ["none"] and list(facts(record, "score")) == ["0"]
    assert record["verdict"]["score"] == 0


def test_a_policy_names_a_rule(places):
    reply, record = deliver(places, message("x").replace(b"Subject: ", b"Subject: Free gift "))
    assert reply.code == 550 and "no gifts: free gifts" in reply.text
    assert record["case"] in reply.text and record["verdict"]["rule"] == "no-gifts"
    gift = facts(record)["gift"]
    assert gift["detail"] == "free gifts"
    assert gift["about"]["in"].lower() == "subject" and "part" not in gift["about"]


def test_the_sum_refuses(places):
    reply, record = deliver(places, message("x", text="It is very much\r\nmoney."))
    assert reply.code == 550 and record["case"] in reply.text
    assert record["verdict"]["action"] == "reject" and record["verdict"]["score"] == 6.25
    assert str(facts(record)["much"]["about"]["part"]) == "1"


def test_explain_shows_it(places):
    path = places.folder / "message.eml"
    path.write_bytes(MESSAGE)
    words = ["explain", path, "--ip", "198.51.100.5", "--helo", "client.example.org", "--from", "a@example.org",
             "--rcpt", "c@example.com"]
    status, out, err = places.command(*words)
    assert status == 0 and err == "", err
    line = next(line for line in out.splitlines() if "shown" in line)
    assert "as a reader sees it" in line and "1.2" in line and "body" in line, line
    assert "sum" in out and "1.75" in out
    status, out, _ = places.command(*words, "--json")
    told = [one["value"] for one in json.loads(out)["facts"]
            if (one["filter"], one["key"]) == ("rule", "result")]
    assert status == 0 and set(told) == set(HOLD)


# Faults in files

GOOD = "- { name: good, match: 'good word' }\n"


@pytest.fixture(scope="module")
def checked(start_module):
    """Runs `postern check` with this text in rules.yaml: the faults, without the folder."""
    postern = start_module.postern()

    def check(text, policy=({"name": "sum", "score": "rule.score"},), files=("rules.yaml",)):
        postern.configure(rules(*files, policy=list(policy), thresholds={"tag": 5}))
        (postern.folder / "rules.yaml").write_text(text)
        status, out, err = postern.command("check")
        assert (status == 0) == (err == ""), (status, out, err)
        return err.replace(f"{postern.folder}/", "")
    return check


@pytest.mark.parametrize("text, said", [
    ("- { name: a, match: [", "rules.yaml:2:1: "),
    ("name: a\nmatch: b\n", "rules.yaml:1:1: .*expected a list of rules"),
    ("- lottery\n", "rules.yaml:1:3: .*expected a rule, such as"),
    ("- name: a\n  macth: b\n", r"rules.yaml:2:3: unknown key .*macth.*did you mean match"),
    ("- name: a\n  all: [ { im: body, match: b } ]\n", r"rules.yaml:2:12: unknown key .*im\b.*did you mean in"),
    ("- { name: a, in: bodi, match: b }\n", r"rules.yaml:1:18: .*bodi.*did you mean body"),
    ("- { name: a, match: '(b' }\n", r"rules.yaml:1:24: bad regular expression: missing closing parenthesis"),
    ("- { name: a, match: 'äöü[b' }\n", r"rules.yaml:1:27: bad regular expression: missing terminating \]"),
    ("- { name: a, match: '' }\n", "rules.yaml:1:21: .*expected a regular expression"),
    ('- { name: a, match: "\\bword\\b" }\n', r"rules.yaml:1:21: a control character in a regular .*in single quotes"),
    ("- name: a\n  all: [ { none: [ { match: b } ] } ]\n", 'rules.yaml:2:12: unknown key "none"; expected in, field or match'),
    ("- { name: a, header: To, match: b }\n", "rules.yaml:1:14: unknown key \"header\"; expected name, "),
    ("- { name: a, field: Subject }\n", "rules.yaml:1:3: .*expected a regular expression"),
    ("- { name: a, score: 2 }\n", "rules.yaml:1:3: what does this rule look for"),
    ("- { name: a b, match: b }\n", "rules.yaml:1:11: .*a name of letters, digits"),
    ("- { match: b }\n", "rules.yaml:1:3: .*name"),
    (GOOD + "- { name: good, match: b }\n", 'rules.yaml:2:11: there is a rule "good" already, in line 1 of rules.yaml'),
    ("- { name: a, all: [ goood, { match: b } ] }\n" + GOOD, 'rules.yaml:1:21: there is no rule "goood" above'),
    (GOOD + "- { name: a, any: [ godo ] }\n", 'rules.yaml:2:21: there is no rule "godo" above; did you mean good'),
    ("- { name: a, count: { least: 3, of: [ { match: b } ] } }\n", "at least 3 of 1 never hold"),
    ("- { name: a, match: b, in: body, field: To }\n", "in: or field:, not both"),
    ("- { name: a, match: b, quiet: yes, score: 1 }\n", "rules.yaml:1:43: a quiet rule"),
    ("- name: a\n  match: b\n  examples:\n    match: [ \"b\",\n      xyz ]\n",
     'rules.yaml:5:7: "a" does not match this example of its own'),
    ("- name: a\n  all:\n    - { match: b }\n    - { field: To, match: c }\n    - { match: d }\n"
     "  examples: { match: [ { body: b d, Cc: c } ] }\n",
     'rules.yaml:6:24: "a" does not match this example of its own: the pattern in line 4 is not there'),
    ("- name: a\n  match: b\n  examples:\n    no_match: [ xyz, abc ]\n",
     'rules.yaml:4:22: "a" matches this example of what it should not'),
    ("- name: a\n  all: [ { match: b }, { field: To, match: c } ]\n  examples: { match: [ b ] }\n",
     "rules.yaml:3:24: an example of \"a\" must be a map of places and fields"),
])
def test_faults(checked, text, said):
    err = checked(text)
    assert re.search(said, err), err


def test_fault_of_a_file_that_is_missing(checked):
    err = checked(GOOD, files=("rules.yaml", "rulez.yaml"))
    assert "rulez.yaml" in err and "No such file" in err, err
    err = checked(GOOD, files=("rules.yaml", "none/*.yaml"))
    assert "postern.yaml:" in err and 'there is no folder "none"' in err, err
    assert checked(GOOD, files=("rules.yaml", "none*.yaml")) == ""


def test_policy_names_a_rule_that_does_not_exist(checked):
    err = checked(GOOD, policy=[{"name": "p", "when": {"rule": "godo"}, "do": "reject"}])
    assert re.search(r'postern.yaml:\d+:\d+: rule is never "godo"; did you mean good', err), err
    assert checked(GOOD, policy=[{"name": "p", "when": {"rule": "good"}, "do": "reject"}]) == ""


def test_good_file(checked):
    assert checked(GOOD) == ""


def test_shipped_rules_are_good(checked):
    assert checked(GOOD, files=("defaults/rules.yaml", "rules.yaml")) == ""


# Changes

def is_refused(postern, word):
    """Asks again where the session belongs to a worker that is ending."""
    for _ in range(20):
        try:
            with connect(postern.port) as client:
                code = client.mail("a@example.org", "c@example.com", message("x", text=word)).code
        except (EOFError, ConnectionError):
            continue
        if code != 421:
            return code == 550
    raise AssertionError("every session ends")


def watched(start):
    return start.postern(
        rules("rules/*.yaml", policy=[{"name": "named", "when": {"rule": "bad-word"}, "do": "reject"}]),
        backend=start.scripted(),
        files={"rules/a.yaml": "- { name: bad-word, match: lottery }\n"})


def test_reload_with_a_fault_changes_nothing(start):
    postern = watched(start)
    file = postern.folder / "rules" / "a.yaml"
    assert is_refused(postern, "A lottery!") and not is_refused(postern, "A raffle!")
    file.write_text("- name: bad-word\n  match: 'raf(fle'\n")
    status, _, said = postern.command("reload")
    assert status == 78 and "stays as it was" in said
    assert f"{file}:2:18: bad regular expression" in said
    assert is_refused(postern, "A lottery!") and not is_refused(postern, "A raffle!")
    file.write_text("- name: bad-word\n  match: 'raffle'\n")
    assert postern.command("reload")[0] == 0
    wait_until(lambda: is_refused(postern, "A raffle!") and not is_refused(postern, "A lottery!"))


def test_a_changed_file_is_noticed(start):
    postern = watched(start)
    file = postern.folder / "rules" / "a.yaml"
    file.write_text("- { name: bad-word, match: raffle }\n")
    wait_until(lambda: is_refused(postern, "A raffle!"), 15)
    assert not is_refused(postern, "A lottery!")
    # One with a fault is reported, and what was in force stays.
    file.write_text("- { name: bad-word, match: '[' }\n")
    wait_until(lambda: f"{file}:1:30" in postern.text(), 15)
    assert is_refused(postern, "A raffle!")
    # A new file that the pattern of names takes in: written elsewhere, then moved there.
    file.write_text("- { name: other, match: raffle }\n")
    new = postern.folder / "b.yaml"
    new.write_text("- { name: bad-word, match: tombola }\n")
    os.rename(new, postern.folder / "rules" / "b.yaml")
    wait_until(lambda: is_refused(postern, "A tombola!"), 15)
    assert not is_refused(postern, "A raffle!")


# Expressions that take too long

# The look ahead is never true, but only PCRE2 knows: it tries all ways to cut the letters up.
EXPLODES = r"\b(a|aa)+(?=c)b"
# No way is tried twice, but each letter begins a way to the end of the paragraph.
SLOW = r"(.)\1.*(?:c|d|\d)(?=x)y"


def test_expressions_that_explode(start):
    """A megabyte that ninety of them do not come to an end with: it is judged, others are served."""
    many = "".join(f"- {{ name: slow-{n}, match: '{EXPLODES}|{n}x{n}' }}\n" for n in range(90))
    postern = start.postern(
        rules("rules.yaml", policy=[{"name": "late", "when": {"rule": "last"}, "do": "reject"}]),
        backend=start.scripted(),
        files={"rules.yaml": many + f"- {{ name: word, match: '{EXPLODES}|never there' }}\n"
               f"- {{ name: crawl, in: html, match: '{SLOW}' }}\n"
               "- { name: unless, field: Subject, match: test, none: [ word ] }\n"
               "- { name: last, in: attachment, match: '^late[.]txt$' }\n"})
    line = b"a" * 60 + b"b " + b"a" * 8 + b"\r\n"
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "c@example.com", "test"
    mail.set_content("A")
    mail.add_attachment("x", filename="late.txt")
    mail.add_attachment("B", subtype="html", cte="quoted-printable")
    text = mail.as_bytes().replace(b"\r\nA\r\n", b"\r\n" + line * (1_000_000 // len(line)))
    text = text.replace(b"\r\nB\r\n", b"\r\n" + ((b"a" * 900 + b"=\r\n") * 7 + b"1y =\r\n") * 85)
    assert len(text) > 1_400_000
    slowest = 0
    with connect(postern.port) as client, connect(postern.port) as other:
        client.envelope("a@example.org", "c@example.com")
        assert client.command("DATA").code == 354
        begin = time.monotonic()
        for at in range(0, len(text), 20_000):
            client.send(text[at:at + 20_000])
            before = time.monotonic()
            assert other.command("NOOP").code == 250
            slowest = max(slowest, time.monotonic() - before)
        client.send(b".\r\n")
        reply = client.reply()
        took = time.monotonic() - begin
    print(f"judged in {took:.2f} s; others waited {slowest:.3f} s at most")
    assert reply.code == 550
    record = record_of(postern, reply)
    assert record["verdict"]["rule"] == "late"
    errors = facts(record, "error")
    assert set(errors) == {*(f"slow-{n}" for n in range(90)), "word", "crawl", "unless"}
    assert "took too long" in errors["word"]["detail"]
    assert list(facts(record)) == ["last"]
    assert took < 20 and slowest < 5


# The shipped rules on real mail

TAG = 5
SHIPPED = {"filters": {"rules": {}, "mime": {}}, "policy": [{"include": "defaults/policy.yaml"}],
           "thresholds": {"tag": TAG, "reject": 100000}}
# What is ham in the vectors of MIME, by its name: the rest is spam, or was made for one rule of a
# filter's tests, and says nothing about what people write.
HAM = re.compile(r"sa-(nice|welcomelists)-|mailparser-rfc-|cpython-")
SPAM = re.compile(r"sa-spam-|rspamd-(spam|gtube|btc3|phish)|mailparser-malformed-")


def judge_all(postern, files):
    """Each message through the one postern: {file name: its record}."""
    records = {}
    for start in range(0, len(files), 50):
        with connect(postern.port) as client:
            for file in files[start:start + 50]:
                sender = f"{file.stem}@example.org"
                reply = client.mail(sender, "c@example.com", file.read_bytes())
                assert reply.code == 250, (file.name, reply)
    wait_until(lambda: len([1 for line in postern.log_json() if "case" in line]) >= len(files))
    for line in postern.log_json():
        if "case" in line:
            records[line["from"].removesuffix("@example.org")] = line
    return {file.name: records[file.stem] for file in files}


def names_of(record):
    return [name for name in facts(record) if name != "none"]


def test_shipped_rules_on_ham(start, vectors):
    files = sorted((vectors / "ham").glob("*.eml"))
    files += [file for file in sorted((vectors / "mime" / "public").glob("*.eml"))
              if HAM.match(file.name)]
    assert len(files) > 60
    records = judge_all(start.postern(SHIPPED, backend=start.scripted()), files)
    for name, record in records.items():
        if names_of(record) or record["verdict"]["score"] > 0:
            print(name, record["verdict"]["score"], *names_of(record))
    over = {name: record["verdict"]["score"] for name, record in records.items()
            if record["verdict"]["score"] >= TAG}
    assert over == {}


def test_shipped_rules_on_spam(start, vectors):
    files = [file for file in sorted((vectors / "mime" / "public").glob("*.eml"))
             if SPAM.match(file.name)]
    records = judge_all(start.postern(SHIPPED, backend=start.scripted()), files)
    found = {name: names_of(record) for name, record in records.items() if names_of(record)}
    for name, names in found.items():
        print(name, records[name]["verdict"]["score"], *names)
    print(f"{len(found)} of {len(files)}")
    assert found["sa-spam-gtube.eml"] == ["gtube"] and "gtube" in found["rspamd-gtube.eml"]
