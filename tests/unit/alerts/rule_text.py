"""The text of a rule file that is right, but for what a test changes."""

from __future__ import annotations

import json
from collections.abc import Mapping


def rule_text(**changes: object) -> str:
    """None leaves a key out."""
    base: dict[str, object] = {
        "name": "mine", "title": "Too many", "severity": "warning", "question": "SELECT 7", "what_to_do": "Look.",
        "threshold": {"above": 5},
    }  # fmt: skip
    keys = {key: value for key, value in {**base, **changes}.items() if value is not None}
    plain = [f"{key} = {_toml(value)}" for key, value in keys.items() if not isinstance(value, Mapping)]
    tables = [
        f"[{key}]\n" + "\n".join(f"{inner} = {_toml(each)}" for inner, each in value.items())
        for key, value in keys.items() if isinstance(value, Mapping)
    ]  # fmt: skip
    return "\n".join([*plain, *tables]) + "\n"


def _toml(value: object) -> str:
    return json.dumps(value)
