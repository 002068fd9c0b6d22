"""Owns the making of jars.lock: resolves the coordinates of jgo.toml with jgo and writes coordinates + sha256.

Run it as `python -m ecom_lite.engines.relock` after a change of jgo.toml, read the diff, commit both files. It needs
the network; nothing else in this package does when the jars are cached.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SPEC = HERE / "jgo.toml"
LOCK = HERE / "jars.lock"
RUNTIME_SCOPES = frozenset({"compile", "runtime", None})


def _artifacts(context: Any, coordinates: list[str], transitive: bool) -> Iterator[Any]:
    """Yield jgo's artifacts of these coordinates, with all they need at run time when `transitive`.

    Each coordinate is resolved by itself and the first to name an artifact wins. Together would be wrong: jgo lets the
    dependency management of *every* coordinate rule all of them, and log4j's parent would put kafka-clients 3.9.1,
    which it manages for its own tests, under the Kafka 4.3.1 broker.
    """
    from jgo.env import EnvironmentBuilder, EnvironmentSpec

    builder = EnvironmentBuilder(context)
    seen: set[tuple[str, str]] = set()
    for coordinate in coordinates:
        dependencies = builder.spec_to_dependencies(EnvironmentSpec(coordinates=[coordinate]))
        if transitive:
            resolved, needed = context.resolver.resolve(dependencies)
            dependencies = [*resolved, *needed]
        for dependency in dependencies:
            artifact = dependency.artifact
            key = (artifact.groupId, artifact.artifactId)
            if dependency.scope in RUNTIME_SCOPES and artifact.packaging == "jar" and key not in seen:
                seen.add(key)
                yield artifact


def lock_text(context: Any, spec: dict[str, Any]) -> str:
    """Resolve (and download) every group of `spec` and return the text of the lock."""
    lines = ["# Made by `python -m ecom_lite.engines.relock` from jgo.toml. Do not edit by hand."]
    for group, wanted in spec["groups"].items():
        entries = {}
        for artifact in _artifacts(context, wanted["coordinates"], wanted["transitive"]):
            if artifact.classifier:
                raise SystemExit(f"{artifact}: a jar with a classifier is not supported by the lock format.")
            digest = hashlib.sha256(Path(artifact.resolve()).read_bytes()).hexdigest()
            entries[(artifact.groupId, artifact.artifactId, artifact.version)] = digest
        for (group_id, artifact_id, version), digest in sorted(entries.items()):
            lines += ["", f"[[{group}]]", f'group = "{group_id}"', f'artifact = "{artifact_id}"']
            lines += [f'version = "{version}"', f'sha256 = "{digest}"']
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write jars.lock beside jgo.toml."""
    from jgo.maven import MavenContext

    LOCK.write_text(lock_text(MavenContext(), tomllib.loads(SPEC.read_text("utf-8"))), "utf-8")
    counts = {group: len(jars) for group, jars in tomllib.loads(LOCK.read_text("utf-8")).items()}
    print(f"wrote {LOCK}: {counts}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
