"""A proposed mapping as the TOML that goes into config.toml, with what to look at as comments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from ..contract.rejected import printable
from .propose import Proposal

MAX_COMMENT_CHARS: Final = 120
EXAMPLES: Final = {  # of what may stand in for a field that was not found
    "quantity": "[events.constants] quantity = 1, if every record is one piece",
    "user_id": '[events.constants] user_id = "guest", if no customer is known',
}


def as_toml(proposal: Proposal, remarks: Sequence[str] = (), source: str | None = None) -> str:
    """The section [events], or that of a further source, and its parts; `remarks` stand above it as comments."""
    section = f"events.{source}" if source else "events"
    settings, notes = proposal.settings(), proposal.notes
    tables = {name: value for name, value in settings.items() if isinstance(value, dict)}
    plain = {name: value for name, value in settings.items() if name not in tables}
    out = [_comment(remark) for remark in remarks]
    for name in proposal.missing:
        out.append(_comment(f"no {name} was found: {EXAMPLES.get(name, f'[events.fields] {name} says where it stands')}"))
    placed = set(plain).union(*tables.values())
    out += [_comment(note) for name, note in notes.items() if name not in placed]
    if source:
        out += [f"[{section}]", f'topic = "{source}_events"  # the topic that they are sent to', *_lines(plain, notes)]
    elif settings:
        out += [f"[{section}]", *_lines(plain, notes)]
    for table, values in tables.items():
        out += ["", f"[{section}.{table}]", *_lines(values, notes)]
    return "\n".join(out) + "\n"


def _lines(values: Mapping[str, object], notes: Mapping[str, str]) -> list[str]:
    return [
        f"{name} = {_value(value)}" + (f"  {_comment(notes[name])}" if name in notes else "") for name, value in values.items()
    ]


def _value(value: object) -> str:
    """A TOML value: its strings and lists are written as those of JSON, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", r"\u007f")


def _comment(text: str) -> str:
    return "# " + printable(text[:MAX_COMMENT_CHARS])
