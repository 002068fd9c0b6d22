"""A certificate authority of a test's own, and the certificates that it signs, by the openssl program."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

CURVE: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
DAYS: Final = "2"


class Authority:
    """`file` is what clients are given. Keys are PKCS 8 in PEM, as Kafka and PostgreSQL take them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / "ca.pem"
        self._key = folder / "ca.key"
        folder.mkdir(parents=True)
        _openssl("req", "-x509", *CURVE, "-keyout", self._key, "-out", self.file, "-days", DAYS, "-subj", "/CN=a test's own CA")

    def sign(self, name: str, *addresses: str) -> tuple[Path, Path]:
        """The certificate and the key of who is called `name` and is reached at these IP addresses; for servers and clients."""
        key, request, certificate = (self._folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={','.join(f'IP:{address}' for address in addresses)}\n")
        _openssl("req", *CURVE, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        signed = ("-CA", self.file, "-CAkey", self._key, "-CAcreateserial", "-days", DAYS, "-extfile", extensions)
        _openssl("x509", "-req", "-in", request, *signed, "-out", certificate)
        return certificate, key


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)
