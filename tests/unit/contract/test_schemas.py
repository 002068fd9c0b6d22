"""docs/schemas is what `python -m ecom_lite.contract.schemas` writes today."""

from __future__ import annotations

from pathlib import Path

from ecom_lite.contract.fields import EVENT_TYPES
from ecom_lite.contract.schemas import write_schemas

DOCS = Path(__file__).parents[3] / "docs" / "schemas"


def test_the_json_schemas_in_docs_are_current(tmp_path: Path) -> None:
    fresh = {file.name: file.read_text(encoding="utf-8") for file in write_schemas(tmp_path)}
    assert len(fresh) == len(EVENT_TYPES)
    kept = {file.name: file.read_text(encoding="utf-8") for file in DOCS.glob("*.json")}
    assert kept == fresh, "run `python -m ecom_lite.contract.schemas` and commit docs/schemas"
