#!/usr/bin/python3
"""
show-record.py LOG NUMBER TRANSCRIPT POLICY ACTION RULE

Shows a record of postern's JSON log (the NUMBERth one, and waits for it) to a newcomer: what the
client heard, the facts, and the rule that decided. The exit status is 0 if the verdict is ACTION
by RULE ("-": by none), and the client's TRANSCRIPT has the reply, with the case number where
it is a refusal.
"""

import json
import re
import sys
import time


def records(path):
    with open(path, errors="replace") as log:
        for line in log:
            if line.startswith('{"case"') and line.endswith("\n"):
                yield json.loads(line)


def wait_for(path, number):
    for _ in range(100):
        found = list(records(path))
        if len(found) >= number:
            return found[number - 1]
        time.sleep(0.1)
    sys.exit("    postern has recorded nothing.")


def show_facts(facts):
    print("    What postern had found out by then:\n")
    for fact in sorted(facts, key=lambda fact: fact["filter"] == "smtp"):
        name = f"{fact['filter']}.{fact['key']}".replace(".result", "")
        print(f"        {name:<22} {fact['value']:<8} {fact['detail']}".rstrip())
    print()


def show_rule(policy, verdict):
    name = verdict["rule"]
    if name is None:
        print("    No rule objected, so the client heard the mail server's own answer.")
        return
    if name == "relay":
        print("    relay: denied is refused before any rule is read; only `relay:` in the\n"
              "    configuration opens a domain.")
        return
    print(f"    The rule that decided, in {policy}:\n")
    with open(policy) as lines:
        text = re.search(rf"^- name: {re.escape(name)}\n(?:  .*\n)+", lines.read(), re.M)
    print("".join(f"        {line}\n" for line in (text.group() if text else name).splitlines()), end="")


def main(log, number, transcript, policy, action, rule):
    record = wait_for(log, int(number))
    verdict, reply = record["verdict"], record["reply"]
    print(f"    The client heard: {reply}\n")
    show_facts(record["facts"])
    show_rule(policy, verdict)
    faults = []
    if (verdict["action"], verdict["rule"] or "-") != (action, rule):
        faults.append(f"the verdict is {verdict['action']} by the rule {verdict['rule']}")
    with open(transcript, errors="replace") as lines:
        if reply not in lines.read():
            faults.append("that is not what the client has seen")
    if action == "reject" and record["case"] not in reply:
        faults.append("no case number in the reply")
    if action == "accept" and record["body"]["in"] != record["body"]["out"]:
        faults.append("the message was changed on its way")
    for fault in faults:
        print(f"    NOT AS ANNOUNCED: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
