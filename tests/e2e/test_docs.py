"""
The documentation says what is so: configurations in it are accepted, files that it names exist, links
lead somewhere, manual pages are well formed.

    ```yaml config    a whole configuration, which is accepted as it is
    ```yaml           a part of one: keys, or rules of the policy
"""

import functools
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from kit.postern import SOURCE, program

PAGES = sorted([*SOURCE.glob("docs/*.md"), SOURCE / "README.md"])
BLOCK = re.compile(r"^```(\w+)?( config)?\n(.*?)^```$", re.M | re.S)

#: What a part is completed with.
BASE = {
    "hostname": "hostname: mx.example.com\n",
    "listen": 'listen: [ { address: "*:25", tls: starttls }, { address: "*:465", tls: implicit } ]\n',
    "tls": "tls: { certificates: [ { cert: fullchain.pem, key: privkey.pem } ] }\n",
    "backend": 'backend: { servers: [ "mail.corp.example:25" ] }\n',
    "relay": "relay: { domains: [ example.com ] }\n",
    "filters": "filters: { ptr: {}, ip_list: { allow: [ 192.0.2.1 ] } }\n",
    "policy": "policy: [ include: defaults/policy.yaml ]\n",
}

#: Lists that the examples name.
FILES = {
    "allow.txt": "192.0.2.1\n",
    "rules/own.yaml": "- { name: own, match: x }\n",
    "block.txt": "192.0.2.66\n",
    "generic.re": "dsl\n",
    "own-rules.yaml": "- { name: own, when: { ptr: error }, score: 1 }\n",
}


def complete(text):
    if re.match(r"\s*-", text):
        text = "policy:\n" + text
    present = set(re.findall(r"^([a-z_]+):", text, re.M))
    return "".join(line for key, line in BASE.items() if key not in present) + text


def blocks():
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            if match.group(1) == "yaml":
                line = text.count("\n", 0, match.start()) + 1
                whole = match.group(3) if match.group(2) else complete(match.group(3))
                yield pytest.param(whole, id=f"{page.name}:{line}")


@pytest.fixture
def folder(start, certificate):
    folder = start.folder("docs")
    shutil.copy(certificate.cert, folder / "fullchain.pem")
    for name in ("privkey.pem", "example.com.pem"):
        shutil.copy(certificate.key, folder / name)
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "defaults").symlink_to(SOURCE / "rules" / "defaults")
    return folder


def check(file, *words):
    return subprocess.run([program(), "-c", file, "check", *words], stdin=subprocess.DEVNULL,
                          env={**os.environ, "POSTERN_DATADIR": str(SOURCE / "rules"),
                               "DQS_KEY": "a-key"},
                          capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("text", blocks())
def test_configuration_is_accepted(folder, text):
    (folder / "postern.yaml").write_text(text)
    done = check(folder / "postern.yaml")
    assert done.returncode == 0, done.stderr + text


EXAMPLE = SOURCE / "packaging" / "postern.yaml"


def test_example_configuration():
    """It is good, and has every key."""
    done = check(EXAMPLE, "--print")
    assert done.returncode == 0, done.stderr
    keys = re.findall(r"^ *(?:- )?([a-z_]+):", done.stdout, re.M)
    assert [key for key in keys if not re.search(rf"\b{key}:", EXAMPLE.read_text())] == []


def test_example_configuration_in_full(folder, authority):
    """What is commented out in it would be good, too."""
    text = re.sub(r"^#(?=[a-z]|  [a-z-]|    - )", "", EXAMPLE.read_text(), flags=re.M)
    text = re.sub(r"^  (\w+): \{\}\n(?=  \1:)", "", text, flags=re.M)  # shown without options first
    text = text.replace('  - { address: "*:25", tls: off, auth: off }\n', "")
    text = text.replace("/etc/postern/", "").replace("/usr/share/dns/", "")
    shutil.copy(authority.cert, folder / "ca.pem")
    (folder / "root.key").write_text(". IN DS 20326 8 2 " + 32 * "00" + "\n")
    (folder / "postern.yaml").write_text(text)
    done = check(folder / "postern.yaml", "--print")
    assert done.returncode == 0, done.stderr + text
    assert "bare_newline_peers" in done.stdout and "trust_anchor" in done.stdout


def names(text):
    """Files of the source tree that are named in code marks."""
    for word in re.findall(r"`([^`\n]+)`", text):
        if re.fullmatch(r"(docs|filters|lib|packaging|proxy|rules|tests|tools)/[\w./-]*\w", word):
            yield word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_exist(page):
    examples = {"filters/sender.c", "tests/unit/test_sender.c"}
    gone = [name for name in names(page.read_text())
            if name not in examples and not (SOURCE / name).exists()]
    assert gone == []


MODULES = re.compile(r"^\| `([a-z_]+(?:\.[ch])?)`", re.M)


def test_modules_exist():
    """The tables of modules in architecture.md, a folder each."""
    text = (SOURCE / "docs" / "architecture.md").read_text()
    for section in re.split(r"^### ", text, flags=re.M)[1:]:
        folder = SOURCE / section.split(":", 1)[0]
        for name in re.findall(r"`([a-z0-9_]+(?:\.[ch])?)`", "".join(
                line for line in section.split("\n## ")[0].splitlines(True) if line.startswith("| `"))):
            found = folder / name if "." in name else folder / f"{name}.h"
            if name in ("reload", "status", "error"):
                continue
            assert found.exists(), f"{name} in {folder.name}"


@functools.cache
def anchors(page):
    heads = re.findall(r"^#+ (.+)$", re.sub(BLOCK, "", page.read_text()), re.M)
    return {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_key_names(folder):
    """Keys in running text, as `limits: memory:`, are those of the manual."""
    page = manual()
    if page is None:
        pytest.skip("no build with manual pages")
    known = set(re.findall(r"\\fB([a-z_]+):\\fP", page.read_text())) | {"file", "include"}
    known |= {"in", "field"}  # of files with rules
    unknown = {f"{doc.name}: {key}:" for doc in PAGES
               for word in re.findall(r"`((?:[a-z_]+: ?)+)`", re.sub(BLOCK, "", doc.read_text()))
               for key in re.findall(r"[a-z_]+", word) if key not in known}
    assert unknown - {"architecture.md: sender:"} == set()


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md"])
def test_packages(page):
    """What a page has installed for a build is what the build needs."""
    needed = re.search(r"packages_build='([^']*)'", (SOURCE / "tools/packages.sh").read_text()).group(1).split()
    line = re.search(r"apt install ((?:.*\\\n)*.*)", (SOURCE / page).read_text()).group(1)
    there = set(line.replace("\\", " ").split())
    assert set(needed) - there - {"ca-certificates", "libc6-dev"} == set()


def manual():
    """postern.yaml(5), which the build has made beside the program."""
    page = pathlib.Path(program()).parent / "docs" / "postern.yaml.5"
    return page if page.exists() else None


@pytest.mark.parametrize("name", ["postern.1", "postern.yaml.5"])
def test_manual_page(name):
    page = SOURCE / "docs" / name if name.endswith(".1") else manual()
    if page is None:
        pytest.skip("no build with manual pages")
    if shutil.which("man") is None:
        pytest.skip("no man")
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                          env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    if shutil.which("mandoc"):
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], capture_output=True, text=True)
        assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


def test_commands_in_manual():
    """Each command and option of the program is in postern(1)."""
    page = (SOURCE / "docs" / "postern.1").read_text().replace("\\-", "-")
    usage = subprocess.run([program(), "--help"], capture_output=True, text=True).stdout
    for other in ("explain", "dkim-key", "sink"):
        usage += subprocess.run([program(), other], capture_output=True, text=True).stderr
    for word in [*re.findall(r"^  ([a-z-]+) ", usage, re.M), *re.findall(r"--[a-z-]+", usage)]:
        assert re.search(rf"(?<![\w-]){word}(?![\w-])", page), word
