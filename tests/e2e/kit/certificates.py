"""Certificates of an authority of our own, made by the program openssl."""

import dataclasses
import pathlib
import subprocess


@dataclasses.dataclass(frozen=True)
class Pair:
    """cert: the certificate, then its chain; key: its private key, readable by every server."""

    cert: pathlib.Path
    key: pathlib.Path
    names: tuple


_KINDS = {
    "rsa": ["-newkey", "rsa:2048"],
    "ecdsa": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ed25519": ["-newkey", "ed25519"],
}


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")


class Authority:
    """A certificate authority; `cert` is what a client must trust."""

    def __init__(self, folder, name="Test CA"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self.cert = self.folder / "ca.pem"
        self.key = self.folder / "ca.key"
        self._count = 0
        _openssl("req", "-x509", *_KINDS["ecdsa"], "-nodes", "-keyout", self.key, "-out", self.cert,
                 "-days", 30, "-subj", f"/CN={name}",
                 "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, *names, kind="rsa", days=30):
        """A Pair for these host names (IP addresses, too); days < 0: it is over already."""
        self._count += 1
        stem = self.folder / f"{self._count}-{kind}"
        key, request, cert, extensions = (
            stem.with_suffix(suffix) for suffix in (".key", ".csr", ".pem", ".cnf"))
        alternatives = ",".join(
            ("IP:" if name.replace(".", "").isdigit() or ":" in name else "DNS:") + name
            for name in names)
        extensions.write_text(
            f"subjectAltName={alternatives}\nbasicConstraints=critical,CA:FALSE\n"
            "extendedKeyUsage=serverAuth,clientAuth\n")
        _openssl("req", "-new", *_KINDS[kind], "-nodes", "-keyout", key, "-out", request,
                 "-subj", f"/CN={names[0]}")
        _openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key,
                 "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", cert)
        cert.write_bytes(cert.read_bytes() + self.cert.read_bytes())
        key.chmod(0o644)
        return Pair(cert, key, names)
