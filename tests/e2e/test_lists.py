"""
The well-known DNS lists, each with its zone in a real rbldnsd: what its answers become, and what is
said of it when it fails. The table here is written from the lists' own documentation, apart from
rules/defaults/lists.yaml.
"""

import re
import time

import pytest

from kit.rbldnsd import EVERYTHING
from kit.smtp import Smtp

KEY = "k3yofours"

#: id: (zone, {answer: words}); what is about domains or hashes is asked about addresses here.
LISTS = {
    "zen": ("zen.spamhaus.org", {
        "127.0.0.2": "sbl", "127.0.0.3": "css", "127.0.0.4": "xbl", "127.0.0.5": "xbl",
        "127.0.0.6": "xbl", "127.0.0.7": "xbl", "127.0.0.2 127.0.0.9": "sbl drop",
        "127.0.0.10": "pbl", "127.0.0.11": "pbl", "127.0.0.30": "bcl",
        "127.0.0.2 127.0.0.4 127.0.0.10": "sbl xbl pbl", "127.0.0.8": "error"}),
    "sbl": ("sbl.spamhaus.org", {
        "127.0.0.2": "sbl", "127.0.0.3": "css", "127.0.0.2 127.0.0.9": "sbl drop",
        "127.0.0.4": "error"}),
    "xbl": ("xbl.spamhaus.org", {"127.0.0.4": "xbl", "127.0.0.7": "xbl", "127.0.0.2": "error"}),
    "pbl": ("pbl.spamhaus.org", {
        "127.0.0.10": "pbl", "127.0.0.11": "pbl", "127.0.0.12": "error"}),
    "authbl": (f"{KEY}.authbl.dq.spamhaus.net", {"127.0.0.20": "authbl", "127.0.0.2": "error"}),
    "dbl": ("dbl.spamhaus.org", {
        "127.0.1.2": "spam", "127.0.1.4": "phish", "127.0.1.5": "malware", "127.0.1.6": "botnet",
        "127.0.1.102": "abused_spam", "127.0.1.103": "abused_redirector",
        "127.0.1.104": "abused_phish", "127.0.1.105": "abused_malware",
        "127.0.1.106": "abused_botnet", "127.0.1.255": "error", "127.0.1.3": "error",
        "127.0.0.2": "error"}),
    "zrd": (f"{KEY}.zrd.dq.spamhaus.net", {
        "127.0.2.2": "hours_2", "127.0.2.3": "hours_3", "127.0.2.4": "hours_4",
        "127.0.2.8": "hours_8", "127.0.2.12": "hours_12", "127.0.2.24": "hours_24",
        "127.0.2.25": "error", "127.0.2.255": "error"}),
    "surbl": ("multi.surbl.org", {
        "127.0.0.4": "dm", "127.0.0.8": "phish", "127.0.0.16": "malware", "127.0.0.32": "ct",
        "127.0.0.64": "abuse", "127.0.0.128": "cracked", "127.0.0.80": "malware abuse",
        "127.0.0.254": "dm phish malware ct abuse cracked", "127.0.0.65": "error",
        "127.0.0.2": "error"}),
    "surbl_hash": ("hashbl.surbl.org", {
        "127.0.0.8": "phish", "127.0.0.16": "malware", "127.0.0.64": "abuse",
        "127.0.0.128": "cracked", "127.0.1.8": "email", "127.0.0.4": "error"}),
    "uribl": ("multi.uribl.com", {
        "127.0.0.2": "black", "127.0.0.4": "grey", "127.0.0.8": "red",
        "127.0.0.14": "black grey red", "127.0.0.3": "error", "127.0.0.16": "error"}),
    "uribl_white": ("white.uribl.com", {"127.0.0.2": "white", "127.0.0.3": "error"}),
    "spamcop": ("bl.spamcop.net", {"127.0.0.2": "spam", "127.0.0.3": "error"}),
    "barracuda": ("b.barracudacentral.org", {"127.0.0.2": "bad", "127.0.0.3": "error"}),
    "mailspike": ("rep.mailspike.net", {
        "127.0.0.10": "worst", "127.0.0.11": "very_bad", "127.0.0.12": "bad",
        "127.0.0.13": "neutral", "127.0.0.16": "neutral", "127.0.0.17": "possible",
        "127.0.0.18": "good", "127.0.0.19": "very_good", "127.0.0.20": "excellent",
        "127.0.0.21": "error", "127.0.0.9": "error"}),
    "senderscore": ("bl.score.senderscore.com", {
        "127.0.0.2": "listed", "127.0.0.26": "listed", "127.0.0.27": "error"}),
    "senderscore_score": ("score.senderscore.com", {
        "127.0.4.0": "score0", "127.0.4.9": "score0", "127.0.4.10": "score1",
        "127.0.4.55": "score5", "127.0.4.89": "score8", "127.0.4.100": "score9",
        "127.0.4.101": "error"}),
    "psbl": ("psbl.surriel.com", {"127.0.0.2": "spam", "127.0.0.3": "error"}),
    "uceprotect1": ("dnsbl-1.uceprotect.net", {"127.0.0.2": "spam", "127.0.0.3": "error"}),
    "sem": ("bl.spameatingmonkey.net", {"127.0.0.2": "spam", "127.0.0.3": "error"}),
    "sem_uri": ("uribl.spameatingmonkey.net", {"127.0.0.2": "spam", "127.0.0.3": "error"}),
    "sem_fresh": ("fresh15.spameatingmonkey.net", {"127.0.0.2": "fresh", "127.0.0.3": "error"}),
    "dnswl": ("list.dnswl.org", {
        "127.0.3.0": "trust_none", "127.0.5.1": "trust_low", "127.0.9.2": "trust_medium",
        "127.0.15.3": "trust_high", "127.0.5.4": "error", "127.0.0.255": "error",
        "127.0.10.0": "error", "127.0.10.3": "error"}),
    "ebl": ("ebl.msbl.org", {
        "127.0.0.2": "listed", "127.0.0.3": "listed", "127.0.1.2": "grey", "127.0.1.3": "grey",
        "127.0.0.4": "error"}),
}

#: Of every list: never a listing, also beside one.
ALWAYS = {
    "": "none", "127.0.0.1": "error", "127.255.255.252": "error", "127.255.255.254": "error",
    "127.255.255.255": "error", "203.0.113.7": "error", "10.0.0.2": "error",
    "127.0.0.2 127.255.255.254": "error", "127.0.0.2 203.0.113.7": "error",
}

#: What each code says, for people.
DETAILS = {
    "127.255.255.252": "mistyped", "127.255.255.254": "public resolver",
    "127.255.255.255": "registered", "203.0.113.7": "rewrites NXDOMAIN",
    "127.0.0.1": "never a listing",
}

OWN_WORDS = {("surbl", "127.0.0.1"), ("uribl", "127.0.0.1"), ("uribl_white", "127.0.0.1")}

TEST_POINTS = {"dnswl": "127.0.10.0", "surbl": "127.0.0.254"}

CASES = [(name, answer, words) for name, (_, table) in LISTS.items()
         for answer, words in {**table, **ALWAYS}.items()]


def answers_of(name):
    return list({**LISTS[name][1], **ALWAYS}.items())


def client_of(number):
    return f"127.20.0.{number + 1}"


def entry(name):
    """As an address list with the usual test points; those with a key get one."""
    row = {"id": name, "kind": "ip4", "listed": ["127.0.0.2"],
           "unlisted": ["127.0.0.1", "240.0.0.0/4"]}
    return {**row, "key": KEY} if KEY in LISTS[name][0] else row


def zone_text(name):
    lines = [f"127.0.0.2 :{TEST_POINTS.get(name, '127.0.0.2')}:"]
    for number, (answer, _) in enumerate(answers_of(name)):
        lines += [f"{client_of(number)} :{address}:" for address in answer.split()]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def facts(start_module):
    """{(list, client): {word: detail}} of all clients, from the records of their refusals."""
    lists = start_module.rbldnsd({LISTS[name][0]: zone_text(name) for name in LISTS})
    postern = start_module.postern(
        {"filters": {"dnsbl": {"lists": [entry(name) for name in LISTS]}}}, dns=lists)
    found = {}
    for number in range(max(len(answers_of(name)) for name in LISTS)):
        # A refusal to relay waits for no list: until all have answered, it is asked anew.
        for pause in (0.2, 0.5, 1, 2, 4):
            with Smtp(postern.port, source=client_of(number)) as client:
                client.greet()
                time.sleep(pause)
                reply = client.envelope("a@example.org", "c@example.net")[-1]
            assert reply.code == 550
            case = re.search(r"\(case (\w+)\)$", reply.text)[1]
            record = postern.wait_log(lambda line, case=case: line.get("case") == case)
            told = [fact for fact in record["facts"] if fact["filter"] == "dnsbl"]
            if {fact["key"] for fact in told} == set(LISTS):
                break
        for fact in told:
            words = found.setdefault((fact["key"], client_of(number)), {})
            words[fact["value"]] = fact["detail"]
    assert not [line for line in postern.log_json() if line.get("event") == "list"]
    return found


@pytest.mark.parametrize("name,answer,words", CASES, ids=lambda value: value.replace(" ", "+"))
def test_answer(facts, name, answer, words):
    number = [one for one, _ in answers_of(name)].index(answer)
    told = facts[name, client_of(number)]
    assert set(told) == set(words.split())
    for code, part in DETAILS.items():
        if words == "error" and code in answer.split() and (name, code) not in OWN_WORDS:
            assert part in told["error"]


#: What a whole list may come to, and a part of the reason.
FAULTS = {
    "dead": ("", "does not list 127.0.0.2"),
    "everything": (":127.0.0.2:\n" + EVERYTHING, "127.0.0.1.*answers everything"),
    "all_but_loopback": (":127.0.0.2:\n" + EVERYTHING + "!127.0.0.1", "answers everything"),
    "sold": (":203.0.113.7:\n" + EVERYTHING, "203.0.113.7: .*sold"),
    "public": (":127.255.255.254:\n" + EVERYTHING, "public resolver"),
    "quota": (":127.255.255.255:\n" + EVERYTHING, "too many questions|registered"),
    "mistyped": (":127.255.255.252:\n" + EVERYTHING, "mistyped"),
    "good": ("127.0.0.2", "good"),
}

#: Its own way to refuse everybody.
OWN_FAULTS = {
    "dbl": ("127.0.1.255", "domains only"), "zrd": ("127.0.2.255", "domains only"),
    "surbl": ("127.0.0.1", "SURBL refuses"), "uribl": ("127.0.0.1", "URIBL refuses"),
    "dnswl": ("127.0.10.3", "trusts everybody"),
}


@pytest.fixture(scope="module")
def live(start_module):
    """{fault: {list: what check --live says}}, one run for each fault."""
    said = {}

    def run(fault):
        if fault in said:
            return said[fault]
        texts = {LISTS[name][0]: FAULTS[fault][0] if fault in FAULTS else
                 f":{OWN_FAULTS[name][0]}:\n{EVERYTHING}" if name in OWN_FAULTS else "127.0.0.2"
                 for name in LISTS}
        lists = start_module.rbldnsd(texts)
        postern = start_module.postern(
            {"filters": {"dnsbl": {"lists": [entry(name) for name in LISTS]}}}, dns=lists)
        status, out, err = postern.command("check", "--live")
        assert status == 69  # there is no backend
        assert KEY not in out + err
        said[fault] = dict(re.findall(r"^list +(\w+) \(.*?\): (.*)$", out, re.M))
        postern.stop()
        return said[fault]

    return run


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", LISTS)
def test_reason(live, name, fault):
    said = live(fault)[name]
    assert re.search(FAULTS[fault][1], said), said
    assert said.startswith("FAILED: ") == (fault != "good")


@pytest.mark.parametrize("name", OWN_FAULTS)
def test_own_reason(live, name):
    said = live("own")[name]
    assert said.startswith("FAILED: ") and OWN_FAULTS[name][1] in said
