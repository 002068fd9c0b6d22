"""What a document is made of: its envelope, its lists of objects, and what stands at the end of each of its paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..contract.mapping import look_up, steps_of

MAX_DEPTH: Final = 5  # of names in names
MAX_NAME: Final = 64  # characters


def envelope_of(objects: Sequence[Mapping[str, Any]]) -> str:
    """What most of them are in."""
    kinds = []
    for one in objects:
        inside = one.get("payload") if "schema" in one else one
        debezium = isinstance(inside, Mapping) and "op" in inside and ("after" in inside or "before" in inside)
        kinds.append("debezium" if debezium else "connect" if "schema" in one and "payload" in one else "none")
    return max(dict.fromkeys(kinds), key=kinds.count, default="none")


def unwrapped(document: Mapping[str, Any], envelope: str) -> Mapping[str, Any] | None:
    inside = document if envelope == "none" else document.get("payload", document)
    if envelope == "debezium" and isinstance(inside, Mapping):
        inside = inside.get("after")
    return inside if isinstance(inside, Mapping) else None


def lists(document: Any, before: str = "", depth: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """The lists of objects, by path."""
    for key, value in document.items():
        if not _can_stand_in_a_path(key):
            continue
        if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            yield before + key, value
        elif isinstance(value, Mapping) and depth < MAX_DEPTH:
            yield from lists(value, f"{before}{key}.", depth + 1)


def items(document: Any, lines: str) -> list[Any]:
    document = look_up(document, steps_of(lines.removesuffix("[]")))
    return [one for one in document if isinstance(one, Mapping)] if isinstance(document, list) else []


def leaves(document: Any, before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """What stands at the end of each path and is neither null nor empty."""
    for key, value in document.items():
        if not _can_stand_in_a_path(key):
            continue
        if isinstance(value, Mapping):
            if depth < MAX_DEPTH:
                yield from leaves(value, f"{before}{key}.", depth + 1)
        elif value is not None and value != "" and not isinstance(value, list):
            yield before + key, value


def _can_stand_in_a_path(key: Any) -> bool:
    return isinstance(key, str) and 0 < len(key) <= MAX_NAME and not any(mark in key for mark in ".[]")
