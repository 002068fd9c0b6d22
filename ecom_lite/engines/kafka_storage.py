"""Owns how a new Kafka storage is made: by Kafka's own tool once, then by a copy of that under a new cluster id."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from .class_archive import identity, jars_of

META: Final = "meta.properties"
_CLUSTER_ID: Final = re.compile(r"^cluster\.id=.*$", re.MULTILINE)


def new_cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A", 1)


class StorageTemplate:
    """What the tool makes of these jars and these settings, in a folder shared by all data folders. The tool is a JVM, 1.1 s of
    CPU on the way to the first `ready`; a copy takes a millisecond. Only the cluster id tells one storage from another.
    """

    def __init__(self, folder: Path, classpath: Sequence[Path], made_by: str) -> None:
        key = "\n".join([made_by, *map(identity, jars_of(classpath))])
        self.path = folder / f"kafka-{hashlib.sha256(key.encode()).hexdigest()[:16]}.storage"

    def copy(self, draft: Path, cluster_id: str) -> bool:
        """A storage of this cluster at `draft`, which must not exist; False where there is no template yet."""
        try:
            meta = (self.path / META).read_text("utf-8")
            shutil.copytree(self.path, draft)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            return False
        (draft / META).write_text(_CLUSTER_ID.sub(f"cluster.id={cluster_id}", meta), "utf-8")
        return True

    def keep(self, made: Path) -> None:
        """Take what the tool has just made. A template that cannot be written is none."""
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with suppress(OSError):
            shutil.copytree(made, draft)
            draft.replace(self.path)
        shutil.rmtree(draft, ignore_errors=True)

    def discard(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def make_storage(draft: Path, template: StorageTemplate | None, tool: Callable[[str], None]) -> bool:
    """A formatted storage at `draft`: by copy where there is a template (True), else by `tool(cluster_id)`, which may raise."""
    shutil.rmtree(draft, ignore_errors=True)
    cluster_id = new_cluster_id()
    if template is not None and template.copy(draft, cluster_id):
        return True
    tool(cluster_id)
    if template is not None:
        template.keep(draft)
    return False
