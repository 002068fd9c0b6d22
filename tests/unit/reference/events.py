"""The text of docs/events.md, from the JSON Schemas that are rendered from the table of fields."""

from __future__ import annotations

from typing import Any, Final

from ecom_lite.contract.fields import EVENT_TYPES, MAX_INT64
from ecom_lite.contract.schemas import json_schemas

HEAD: Final = """# The events

<!-- Made by `python -m tests.unit.reference` from ecom_lite/contract/fields.py. Do not edit by hand. -->

What may stand on the topic: one JSON object a record, UTF-8, at most 1 MB; its key is best the customer's id, which keeps all of
one customer's events in order. A field that is not named here is ignored, an unknown `event_type` is a dead letter. [What
producers send](producers.md) says what becomes of which record, and how `[events]` in `config.toml` reads other names and forms.
"""
TABLE: Final = "| field | | in JSON | rule |\n|---|---|---|---|\n"
BOUNDS: Final = (
    ("minimum", "from {:,}"), ("exclusiveMinimum", "above {:,}"), ("maximum", "to {:,}"), ("exclusiveMaximum", "below {:,}")
)  # fmt: skip


def render() -> str:
    """The whole page."""
    parts, schemas = [HEAD], json_schemas()
    for event in dict.fromkeys(EVENT_TYPES.values()):
        kinds = [kind for kind, of_kind in EVENT_TYPES.items() if of_kind is event]
        schema = schemas[kinds[0]]
        links = ", ".join(f"[{kind}.schema.json](schemas/{kind}.schema.json)" for kind in kinds)
        parts.append(f"\n## {', '.join(kinds)}\n\n{schema['description']} As JSON Schema: {links}.\n\n{TABLE}")
        for name, rule in schema["properties"].items():
            needed = "must be there" if name in schema.get("required", ()) else ""
            parts.append(f"| `{name}` | {needed} | {', '.join(types(rule))} | {_rule(rule)} |\n")
    return "".join(parts)


def types(rule: dict[str, Any]) -> list[str]:
    """The JSON types that a value may have, with their limits; null is left out, as absent says the same."""
    if "enum" in rule:
        return [f"`{value}`" for value in rule["enum"] if value is not None]
    if "anyOf" in rule:
        inner = [each for one in rule["anyOf"] for each in types(one)]
        return [each for each in dict.fromkeys(inner) if not any(other.startswith(f"{each} ") for other in inner)]
    kinds = rule["type"] if isinstance(rule.get("type"), list) else [rule.get("type")]
    return [f"{kind}{_limits(kind, rule)}" for kind in kinds if kind not in ("null", None)]


def _limits(kind: str, rule: dict[str, Any]) -> str:
    if kind == "string":
        least, most = rule.get("minLength", 0), rule.get("maxLength")
        return f" of {least} to {most} characters" if most else ""
    return "".join(f" {words.format(rule[name])}" for name, words in BOUNDS if name in rule and rule[name] != MAX_INT64)


def _rule(rule: dict[str, Any]) -> str:
    said = [rule["description"]] if "description" in rule else []
    said += [one["description"] for one in rule.get("anyOf", ()) if "description" in one]
    return "; ".join(dict.fromkeys(said)).rstrip(".").replace("|", "\\|")
