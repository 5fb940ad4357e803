"""
The messages of the vectors, through `postern explain --json`: their parts, with type, charset, name, size
and hash, the hosts that they lead to, whether they are broken, and their subjects.
"""

import concurrent.futures
import json

import pytest

from kit.postern import PosternProcess

#: Two Content-Types, of which that list has only the first: both are searched.
TWO_TYPES = "public/sa-spam-badmime2.eml"

#: It becomes CRLF on the way (`bare_newline: normalize`), before anybody takes the message apart.
BARE_CR = "own/bare-cr.eml"


@pytest.fixture(scope="module")
def explain(start_module):
    """A function from names to messages; from names to what explain says of them."""
    postern = PosternProcess(start_module.folder("explain"), {"filters": {"mime": {}}})

    def one(mail):
        status, shown, said = postern.command("explain", mail, "--ip", "198.51.100.5", "--json")
        assert status == 0 and not said, (mail, status, said)
        return json.loads(shown)

    def all_of(mails):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return list(pool.map(one, mails))
    return all_of


def lines_of(vectors, name):
    path = vectors / name
    if not path.is_file():
        pytest.skip(f"no {path}")
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def is_exact(mail, is_last):
    """
    Line ends in uuencoded bytes are no line ends, though the list counts them as such; and a message comes with
    a line end, though the file may have none.
    """
    return b"uuencode" not in mail and (not is_last or mail.endswith(b"\n"))


def wrong_parts(case, mail, seen):
    """What is other than expected, in words."""
    wanted = case["parts"]
    if wanted is None or case["file"] in (TWO_TYPES, BARE_CR):
        return
    if [part["path"] for part in wanted] != [part["path"] for part in seen]:
        yield f"parts {[part['path'] for part in seen]}"
        return
    for want, got in zip(wanted, seen):
        keys = ["type", "charset", "name"]
        if is_exact(mail, want is wanted[-1]):
            keys += ["size", "sha256"]
        for key in keys:
            value = want.get(key)
            if value == got.get(key) or (key != "name" and value in (None, "us-ascii")):
                continue
            yield f"part {got['path']}: {key} is {got.get(key)!r}, not {value!r}"


def wrong_facts(case, record):
    facts = {fact["key"]: fact["value"] for fact in record["facts"] if fact["filter"] in ("mime", "smtp")}
    if case["file"] == BARE_CR:
        if facts["bare_newline"] != "yes":
            yield "no bare newline"
        return
    if case.get("broken") is not None and (facts["result"] == "broken") != case["broken"]:
        yield f"result {facts['result']}"
    if "subject" in case and case["subject"] != record["subject"]:
        yield f"subject {record['subject']!r}"


@pytest.mark.seconds(180)
@pytest.mark.parametrize("name", ["own", "public"])
def test_mime(vectors, explain, name):
    cases = lines_of(vectors / "mime", f"{name}.jsonl")
    paths = [vectors / "mime" / case["file"] for case in cases]
    wrong, found, hosts = [], 0, 0
    for case, path, record in zip(cases, paths, explain(paths)):
        seen = {uri["host"] for uri in record["uris"]}
        missing = set(case.get("must_find") or []) - seen
        found += len(case.get("must_find") or []) - len(missing)
        hosts += len(case.get("must_find") or [])
        faults = [*wrong_parts(case, path.read_bytes(), record["parts"]), *wrong_facts(case, record),
                  *(f"{host} is missing" for host in sorted(missing))]
        wrong += [f"{case['file']}: {fault}" for fault in faults]
    print(f"{name}: {len(cases)} messages, {found} of {hosts} hosts")
    assert not wrong, "\n".join(wrong)
    assert len(cases) > 50


def is_above(case, host):
    """A bare name in the text, above a host that the message leads to anyway."""
    return any(one.partition(".")[2] == host for one in case["hosts"])


@pytest.mark.seconds(120)
def test_uris(vectors, explain):
    cases = [case for case in lines_of(vectors / "uri", "cases.jsonl") if case["kind"] == "eml"]
    wrong, found, hosts = [], 0, 0
    for case, record in zip(cases, explain([vectors / "uri" / case["file"] for case in cases])):
        seen = {uri["host"]: uri for uri in record["uris"]}
        paths = {part["path"] for part in record["parts"]}
        known = {*case["hosts"], *case.get("nested", []), *case.get("may", []), *case.get("mail", [])}
        missing = [host for host in case["hosts"] if host not in seen]
        found, hosts = found + len(case["hosts"]) - len(missing), hosts + len(case["hosts"])
        wrong += [f"{case['id']}: {host} is missing" for host in missing]
        wrong += [f"{case['id']}: {host} is wrong" for host in seen
                  if host not in known and not is_above(case, host) and not case.get("refused")]
        wrong += [f"{case['id']}: {host}: registered is {seen[host]['registered']!r}"
                  for host, domain in case["registered"].items()
                  if host in seen and seen[host]["registered"] != domain]
        wrong += [f"{case['id']}: {host} in {uri['part']}" for host, uri in seen.items()
                  if uri["part"] not in paths or not uri["where"]]
    print(f"{len(cases)} messages, {found} of {hosts} hosts")
    assert not wrong, "\n".join(wrong)
    assert len(cases) > 20
