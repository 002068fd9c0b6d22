"""What the lake holds, in figures: for the check that compares it with the facts."""

from __future__ import annotations

import json

import duckdb

from ..errors import QueryError, first_line
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .reader import open_lake


def counted(address: Address) -> str:
    """As JSON: facts with a load_xid below `below` are in it, `sales` by currency, `returns` and `changes`; all of one snapshot.

    Where it cannot be read `problem` says why.
    """
    try:
        with open_lake(address) as lake:
            lake.begin()
            (below,) = lake.execute(read_sql(__package__, "cut").decode()).fetchone() or (None,)
            sales, returns, changes = lake.execute(read_sql(__package__, "counted").decode()).fetchone() or ([], 0, 0)
    except QueryError as error:
        return json.dumps({"problem": str(error)})
    except duckdb.Error as error:
        return json.dumps({"problem": f"the lake cannot be read: {first_line(error)}"})
    return json.dumps({"below": below or 0, "sales": sales or [], "returns": returns, "changes": changes}, default=str)
