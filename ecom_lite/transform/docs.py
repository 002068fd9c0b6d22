"""dbt's documentation of the project, one file: what is written into it, and which text it belongs to."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from .. import __version__

NOT_SHOWN: Final = ("compiled", "compiled_code", "compiled_path", "build_path", "root_path")  # of one run, or of this machine


def docs_key(project_dir: Path, stamp: str) -> str:
    """Changes with the project's files, the columns in the warehouse (`stamp`), dbt and this program."""
    digest = hashlib.sha256(f"{__version__} {version('dbt-core')} {stamp}".encode())
    for path in sorted(project_dir.rglob("*")):
        if path.suffix in {".sql", ".yml"}:
            digest.update(f"\0{path.relative_to(project_dir)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def write_manifest(manifest: Any, path: Path) -> None:
    """dbt's manifest as dbt writes it, without what the last run has left in it."""
    manifest.writable_manifest().write(str(path))
    document = json.loads(path.read_bytes())
    for kind in ("nodes", "disabled", "unit_tests"):
        for node in document[kind].values():
            for each in node if isinstance(node, list) else [node]:
                for name in NOT_SHOWN:
                    each.pop(name, None)
    path.write_text(json.dumps(document), "utf-8")
