#!/usr/bin/python3
"""Adds up what the tests said.

tally.py unit DIR         the logs of `make check` below DIR (cmocka's output, automake's .trs)
tally.py pytest FILE      the report of pytest --junitxml=FILE
tally.py fuzz FILE        lines "ok NAME ..." and "FAILED NAME ..."

The output is one line, "PASSED FAILED SKIPPED"; what failed is told on stderr.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


def tell(text):
    print(text, file=sys.stderr)


def tell_end(path, lines=40):
    text = path.read_text(errors="replace").rstrip().splitlines()
    text = [line for line in text if not re.match(r"\[ +(OK|RUN|PASSED) +\] ", line)]
    for line in text[-lines:]:
        tell("    " + line)


def count_unit(folder):
    passed = failed = skipped = 0
    for trs in sorted(pathlib.Path(folder).glob("tests/unit/*.trs")):
        log = trs.with_suffix(".log")
        result = re.search(r":test-result: (\w+)", trs.read_text())
        # What follows "N test(s) run" is a summary which names the failed ones again.
        told = re.split(r"^\[==========\].*run\.$", log.read_text(errors="replace"), flags=re.M)[0]
        ok = len(re.findall(r"^\[       OK \] ", told, flags=re.M))
        bad = re.findall(r"^\[  FAILED  \] (.*)", told, flags=re.M)
        passed += ok
        failed += len(bad)
        skipped += len(re.findall(r"^\[  SKIPPED \] ", told, flags=re.M))
        if result is None or result.group(1) not in ("PASS", "SKIP"):
            if not bad:  # it crashed, or a fixture failed, or the sanitizer found something
                failed += 1
            tell(f"FAILED {log}: {', '.join(bad) or 'ended early'}")
            tell_end(log)
        elif ok == 0:
            passed += 1  # no cmocka program: its exit status speaks
    return passed, failed, skipped


def count_pytest(path):
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        bad = case.find("failure")
        if bad is None:
            bad = case.find("error")
        if bad is not None:
            failed += 1
            tell(f"FAILED {name}")
            for line in (bad.text or bad.get("message") or "").splitlines()[-60:]:
                tell("    " + line)
        elif (skip := case.find("skipped")) is not None:
            skipped += 1
            tell(f"skipped {name}: {skip.get('message')}")
        else:
            passed += 1
    return passed, failed, skipped


def count_fuzz(path):
    lines = pathlib.Path(path).read_text(errors="replace").splitlines()
    passed = sum(line.startswith("ok ") for line in lines)
    failed = sum(line.startswith("FAILED ") for line in lines)
    if failed:
        tell("\n".join(line for line in lines if not line.startswith("ok ")))
    return passed, failed, 0


def main():
    count = {"unit": count_unit, "pytest": count_pytest, "fuzz": count_fuzz}[sys.argv[1]]
    print(*count(sys.argv[2]))


if __name__ == "__main__":
    main()
