"""What the lake's upkeep asks of DuckLake, and what it must not ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from ecom_lite.lake.upkeep import Upkeep
from ecom_lite.lake.writer import Writer


class Asked:
    """Stands in for the writer: notes what is to be carried out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.queries: list[str] = []

    def carry_out(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        self.queries.append(query)
        return [("left.parquet",)]


@pytest.mark.parametrize(
    ("folder", "looks"), [("run 1 50%", True), ("it's", True), ("run [1]", False), ("run*", False), ("run?", False)]
)
def test_a_folder_that_is_a_pattern_to_ducklake_is_not_cleaned_up(folder: str, looks: bool) -> None:
    asked = Asked(Path("/data") / folder / "lake/tables")
    upkeep = Upkeep(cast(Writer, asked), keep_snapshots_h=24)
    assert upkeep.delete_orphans(3600) == int(looks)
    assert len(asked.queries) == int(looks)
