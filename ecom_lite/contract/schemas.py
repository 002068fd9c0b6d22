"""The JSON Schemas of docs/schemas; `python -m ecom_lite.contract.schemas` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from .fields import EVENT_TYPES, fields_of, wire_struct


def json_schemas() -> dict[str, dict[str, Any]]:
    """One JSON Schema per event type."""
    schemas = {}
    for kind, event in EVENT_TYPES.items():
        (schema,) = msgspec.json.schema(wire_struct(event))["$defs"].values()
        schema["title"], schema["description"] = event.__name__, event.__doc__
        schema["properties"] |= {one.name: dict(one.kind.rule) for one in fields_of(event) if one.kind.rule}
        schemas[kind] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return schemas


def write_schemas(folder: Path) -> list[Path]:
    """Write json_schemas() as `<event type>.schema.json` into `folder`; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for kind, schema in json_schemas().items():
        file = folder / f"{kind}.schema.json"
        file.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        files.append(file)
    return files


if __name__ == "__main__":
    write_schemas(Path("docs/schemas"))
