"""The tables of what is no order line: their columns come from the table of fields."""

from __future__ import annotations

import pytest

from ecom_lite.contract.fields import fields_of
from ecom_lite.load.others import CHANGES, RETURNS, Table


@pytest.mark.parametrize("table", [RETURNS, CHANGES], ids=lambda table: str(table.name))
def test_a_table_renames_and_leaves_out_only_fields_that_there_are(table: Table) -> None:
    names = {one.name for one in fields_of(table.event)}
    assert table.left_out <= names and table.renamed.keys() <= names - table.left_out
