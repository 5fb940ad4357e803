"""
Addresses in messages: a listed host in every disguise of body and address is found, asked about and
refused; explain shows where; lists that go bad; shipped files.
"""

import base64
import json
import os
import pathlib
import quopri
import re

import pytest

from kit.postern import PosternProcess
from kit.process import wait_until
from kit.smtp import Smtp, message

EVIL = "www.evil.example.com"
LISTED = ":127.0.0.2:\ntest\n.evil.example.com\n7.2.0.192\nother.example.net :127.0.0.4:\n"
LIST = {"id": "bl", "zone": "uri.test", "kind": "domain", "addresses": True,
        "codes": {"127.0.0.2": "bad", "127.0.0.4": "worse"}}
POLICY = [{"name": "listed", "when": {"surbl.bl": "bad"}, "do": "reject",
           "text": "5.7.1 a bad link"}]


def configuration(lists=(LIST,), policy=POLICY, guard=None, **surbl):
    return {"filters": {"surbl": {"lists": [*lists], **surbl, **({"guard": guard} if guard else {})}},
            "policy": policy, "limits": {"sessions_per_client": 1000}}


@pytest.fixture(scope="module")
def backend(start_module):
    return start_module.scripted()


@pytest.fixture(scope="module")
def lists(start_module):
    return start_module.rbldnsd({"uri.test": ("dnset", LISTED)})


@pytest.fixture(scope="module")
def postern(start_module, backend, lists):
    return start_module.postern(configuration(), backend=backend, dns=lists)


def deliver(postern, mail):
    with Smtp(postern.port) as client:
        client.greet()
        return client.mail("a@example.org", "c@example.com", mail)


def part(content_type, body, encoding="7bit"):
    return f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}"


def multipart(*parts, kind="mixed"):
    inner = "".join(f"--b\r\n{one}\r\n" for one in parts)
    return f"MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary=b\r\n", inner + "--b--\r\n"


def base64_of(text, charset="utf-8"):
    return base64.encodebytes(text.encode(charset)).decode().replace("\n", "\r\n")


LINK = f'<p>Please <a href="http://{EVIL}/x">click</a></p>'
HELLO = part("text/plain", "Hello.")
MIME = "MIME-Version: 1.0\r\n"


def soft_breaks(text):
    """Quoted-printable with a soft break in the middle of every host."""
    return quopri.encodestring(text.encode()).decode().replace("\n", "\r\n").replace("evil", "ev=\r\nil")


#: name: headers, text, the part, the host as it is found, where
CASES = {
    "text": ("", f"See http://{EVIL}/x or not.", "1", EVIL, "text"),
    "bare": ("", f"See {EVIL}.", "1", EVIL, "text"),
    "html": (f"{MIME}Content-Type: text/html\r\n", LINK, "1", EVIL, "link"),
    "base64 html": (*multipart(HELLO, part("text/html", base64_of(LINK), "base64")), "1.2", EVIL, "link"),
    "quoted-printable": (*multipart(HELLO, part("text/html", soft_breaks(LINK), "quoted-printable"),
                                    kind="alternative"), "1.2", EVIL, "link"),
    "nested message": (*multipart(HELLO, part("message/rfc822", "Subject: inner\r\n" + MIME +
                       "Content-Type: text/html\r\n\r\n" + LINK)), "1.2.1", EVIL, "link"),
    "utf-16": (f"{MIME}Content-Type: text/html; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n",
               base64_of(LINK, "utf-16-le"), "1", EVIL, "link"),
    "attached html": (*multipart(HELLO, part("application/octet-stream; name=a.html", base64_of(LINK),
                                             "base64")), "1.2", EVIL, "link"),
    "hexadecimal": (f"{MIME}Content-Type: text/html\r\n", '<a href="http://0xC0000207/">x</a>', "1",
                    "192.0.2.7", "link"),
    "escaped": (f"{MIME}Content-Type: text/html\r\n",
                '<a href="http://good.example.org&#64;www.e%76il&period;example.com/">x</a>', "1", EVIL, "link"),
    "wide": (f"{MIME}Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
             soft_breaks('<a href="http://www.evil\u3002example\uff0ecom/">x</a>'), "1", EVIL, "link"),
    "redirector": ("", f"https://r.example.org/?u=http%3A%2F%2F{EVIL}%2F", "1", EVIL, "text"),
    "style": (f"{MIME}Content-Type: text/html\r\n", f"<style>@import '//{EVIL}/a.css'</style>x", "1", EVIL,
              "style"),
    "stray end tag": (f"{MIME}Content-Type: text/html\r\n", f"</x>{LINK}", "1", EVIL, "link"),
    "no boundary": (f"{MIME}Content-Type: multipart/mixed\r\n", f"http://{EVIL}/", None, EVIL, "text"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(start, lists, postern, name):
    """Refused with a case number; the record and explain say which address, in which part."""
    headers, text, path, host, where = CASES[name]
    mail = message("m", text, headers=headers)
    reply = deliver(postern, mail)
    assert reply.code == 550, reply
    case = re.search(r"\(case (\w+)\)", reply.text).group(1)
    record = postern.wait_log(lambda line: line.get("case") == case)
    fact = next(fact for fact in record["facts"] if fact["key"] == "bl")
    assert fact["value"] == "bad" and fact["detail"] == "127.0.0.2"
    assert fact["about"]["host"] == host and fact["about"]["where"] == where
    assert path is None or fact["about"]["part"] == path
    assert record["verdict"]["rule"] == "listed"


def test_good(postern):
    """Neither what is not listed nor what only looks like an address is held against a message."""
    assert deliver(postern, message("g", "http://www.example.org/ and evil.example.com.txt")).code == 250
    record = postern.wait_log(lambda line: line.get("subject") == "test g")
    assert deliver(postern, message("g2", "joe@evil.example.com")).code == 250
    assert any(fact["key"] == "bl" and fact["value"] == "none" for fact in record["facts"])


def test_asked_while_it_comes_in(start, backend):
    """The list hears of the host before the message is over."""
    lists = start.rbldnsd({"uri.test": ("dnset", LISTED)})
    postern = start.postern(configuration(), backend=backend, dns=lists)
    with Smtp(postern.port) as client:
        client.greet()
        for line in "MAIL FROM:<a@example.org>", "RCPT TO:<c@example.com>", "DATA":
            client.send(line + "\r\n")
            client.reply()
        client.send(f"Subject: x\r\n\r\nhttp://{EVIL}/\r\nand more text\r\n")
        lists_wait(lists, f"{EVIL}.uri.test")
        client.send(".\r\n")
        assert client.reply().code == 550


def lists_wait(lists, name):
    wait_until(lambda: name in lists.queries(), what=f"a question for {name}")


def test_list_goes_bad(start, backend):
    """A list that begins to answer everything refuses fewer than 20 messages."""
    lists = start.rbldnsd({"uri.test": ("dnset", LISTED)})
    postern = start.postern(configuration(guard={"again": "1s"}), backend=backend, dns=lists)
    assert deliver(postern, message("b", f"http://{EVIL}/")).code == 550
    lists.change({"uri.test": ("dnset", LISTED + ".com\n.invalid\ninvalid\n")})
    codes = [deliver(postern, message(f"b{n}", f"http://h{n}-example.com/")).code for n in range(60)]
    assert codes.count(550) <= 19 and codes[-1] == 250
    lists.change({"uri.test": ("dnset", LISTED)})
    postern.wait_log(lambda line: "counts again" in line.get("message", ""))
    assert deliver(postern, message("b2", f"http://{EVIL}/")).code == 550


def test_most(start, backend, lists):
    """Of very many hosts the links are asked about first, and the number is bounded."""
    postern = start.postern(configuration(hosts=10), backend=backend, dns=lists)
    text = "".join(f"http://h{n}-example.com/<br>\r\n" for n in range(2000))
    html = f"{MIME}Content-Type: text/html\r\n"
    reply = deliver(postern, message("m", text + LINK, headers=html))
    assert reply.code == 550
    record = postern.wait_log(lambda line: line.get("point") == "message")
    assert any(fact["key"] == "limit" and fact["value"] == "yes" for fact in record["facts"])


@pytest.mark.parametrize("is_on", [True, False])
def test_explain(start, lists, is_on):
    """explain shows the hosts, with part and place, as text and as JSON; also where no filter looks."""
    headers, text, path, host, where = CASES["base64 html"]
    postern = PosternProcess(start.folder("explain"), configuration() if is_on else None, dns=lists)
    mail = postern.folder / "m.eml"
    mail.write_bytes(message("e", text, headers=headers))
    words = "explain", mail, "--ip", "198.51.100.5", "--rcpt", "c@example.com"
    status, shown, said = postern.command(*words)
    assert status == 0, said
    mark = r"\*" if is_on else " "
    assert re.search(rf"  {mark} {host} +part {path} +{where} +http://{host}/x", shown), shown
    assert ("bad" in shown and "listed" in shown) == is_on
    status, shown, said = postern.command(*words, "--json")
    assert status == 0, said
    assert json.loads(shown)["uris"] == [
        {"host": host, "registered": "example.com", "part": path, "where": where,
         "uri": f"http://{host}/x", "asked": is_on, "marks": []}]


def test_shipped_policy(start, backend):
    """The lists' own words lead to what the shipped policy says."""
    lists = start.rbldnsd({
        "dbl.spamhaus.org": ("dnset", ":127.0.1.4:\ndbltest.com\n.phish.example.com\n"
                                      "cracked.example.net :127.0.1.104:\n"),
        "multi.surbl.org": ("dnset", ":127.0.0.16:\ntest.surbl.org\n.malware.example.com\n"
                                     "broken.example.com :127.0.0.128:\n")})
    postern = start.postern({
        "filters": {"surbl": {"lists": ["dbl", "surbl"]}},
        "policy": [{"include": "defaults/policy.yaml"}], "thresholds": {"reject": 7}},
        backend=backend, dns=lists)
    assert "Spamhaus" in deliver(postern, message("1", "http://a.phish.example.com/")).text
    assert "SURBL" in deliver(postern, message("2", "http://malware.example.com/")).text
    assert deliver(postern, message("3", "http://cracked.example.net/")).code == 250
    assert deliver(postern, message("4", "http://broken.example.com/")).code == 250
    both = deliver(postern, message("5", "http://cracked.example.net/ http://broken.example.com/"))
    assert both.code == 550


def test_vectors(start, backend):
    """Messages of others: the hosts that they lead to are refused when they are listed."""
    folder = pathlib.Path(os.environ.get("POSTERN_VECTORS", "/nonexistent")) / "uri"
    if not folder.is_dir():
        pytest.skip("no vectors")
    cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines()]
    cases = [case for case in cases if case["kind"] == "eml" and case["hosts"]]
    hosts = sorted({host for case in cases for host in case["hosts"]})
    lists = start.rbldnsd({"uri.test": ("dnset", ":127.0.0.2:\ntest\n" + "\n".join(hosts))})
    postern = start.postern(configuration(), backend=backend, dns=lists)
    for case in cases:
        mail = (folder / case["file"]).read_bytes()
        assert deliver(postern, mail).code == 550, case
