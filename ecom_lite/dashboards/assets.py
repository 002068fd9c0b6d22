"""Owns what the browser loads beside data: the page's own files and uPlot, in memory, compressed once."""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

UPLOT: Final = "uplot.js"
_UPLOT_RELEASED: Final = "uplot.iife.min.js"
_AS_MODULE: Final = b"\nexport default uPlot;\n"
INDEX: Final = "index.html"
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_COMPRESSION: Final = 6
_MODULE: Final = re.compile(r'<script src="/static/\{\{version\}\}/([\w.]+)" type="module"></script>')
_IMPORTED: Final = re.compile(rb'(?:^|[\s;}])(?:from|import) ?"\./([\w.]+)"')


@dataclass(frozen=True)
class Asset:
    """One file for the browser: its bytes, the same gzipped, its media type."""

    body: bytes
    gzipped: bytes
    media_type: str


class Assets:
    """The files of static/. `version` changes with any of them, so caches may keep them.

    uPlot stands there as it was released, a script that makes a variable; browsers get it as the module `uplot.js`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, Asset] = {}
        folder = files(__package__).joinpath("static")
        self._files = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.name.endswith(tuple(TYPES))}
        self._files[UPLOT] = self._files.pop(_UPLOT_RELEASED) + _AS_MODULE
        digest = hashlib.sha256()
        for name in sorted(self._files):
            digest.update(name.encode() + b"\0" + self._files[name])
        self.version = digest.hexdigest()[:12]

    def index(self) -> bytes:
        """The page itself, which names the other files with their version."""
        return self.text(INDEX).encode()

    def text(self, name: str) -> str:
        """A page of static/, which names other files with their version, and all modules of its script: a browser would else ask
        for those of one only after it has read who imports them."""
        page = _MODULE.sub(lambda match: self._preloads(match[1]) + match[0], self._files[name].decode())
        return page.replace("{{version}}", self.version)

    def _preloads(self, script: str) -> str:
        found = [script]
        for module in found:
            found += [name for each in _IMPORTED.findall(self._files[module]) if (name := each.decode()) not in found]
        return "".join(f'<link rel="modulepreload" href="/static/{{{{version}}}}/{name}">\n  ' for name in found)

    def get(self, name: str) -> Asset | None:
        """A file by name, or None."""
        with self._lock:
            if name in self._made:
                return self._made[name]
            body = self._files.get(name)
            if body is None or name.endswith(".html"):
                return None
            suffix = name[name.rfind(".") :]
            asset = Asset(body, gzip.compress(body, _COMPRESSION), TYPES[suffix])
            self._made[name] = asset
            return asset
