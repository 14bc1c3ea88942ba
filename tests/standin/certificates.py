"""Certificates for tests: an authority made on the spot by the openssl command, and what it signs."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Authority:
    """`ca_file` is what a client is to trust; `context()` serves TLS with a certificate that it signed."""

    directory: Path

    @property
    def ca_file(self) -> Path:
        return self.directory / "ca.pem"

    def certificate(self, name: str = "IP:127.0.0.1,DNS:localhost", days: int = 2) -> tuple[Path, Path]:
        """A certificate for these alternative names, and its key; negative `days` give one that has run out."""
        stem = self.directory / f"server-{abs(hash((name, days))):x}"
        key, request, signed, extensions = (stem.with_suffix(end) for end in (".key", ".csr", ".pem", ".ext"))
        extensions.write_text(f"subjectAltName={name}\nbasicConstraints=CA:FALSE\n", encoding="ascii")
        _openssl("req", "-newkey", *_EC, "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=stand-in")
        signing = ("-CA", self.ca_file, "-CAkey", self.directory / "ca.key", "-CAcreateserial", "-extfile", extensions)
        _openssl("x509", "-req", "-in", request, *signing, "-days", str(days), "-out", signed)
        return signed, key

    def context(self, name: str = "IP:127.0.0.1,DNS:localhost", days: int = 2) -> ssl.SSLContext:
        """What a StandIn takes as `tls`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate(name, days))
        return context


_EC = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def make_authority(directory: Path) -> Authority:
    """A new authority whose files lie in this directory."""
    usage = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    names = ("-keyout", directory / "ca.key", "-out", directory / "ca.pem", "-subj", "/CN=stand-in authority")
    _openssl("req", "-x509", "-newkey", *_EC, "-nodes", "-days", "2", *names, *usage)
    return Authority(directory)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
