"""Makes docs/testing.md, from the fixture's docstrings, and docs/summary.md: `python -m tests.unit.run.pages` writes both."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ecom_lite.run.summary import WORDS
from ecom_lite.testing import LightWarehouse, light_warehouse

DOCS: Final = Path(__file__).parents[3] / "docs"
MADE: Final = "<!-- Made by `python -m tests.unit.run.pages` from {}. Do not edit by hand. -->"

SUMMARY_HEAD: Final = f"""# The summary of a run

{MADE.format("ecom_lite/run/summary.py")}

`ecom_lite run --json` prints one JSON object on stdout at its end. The counts, `revenue` and `marts` are of all that the
data folder holds, earlier runs included; what is said to be of this run begins with it. The `history_` words are there only
where this run has sent a past (`--history`).

| word | what it is |
|---|---|
"""

CONFTEST: Final = 'pytest_plugins = ["ecom_lite.testing"]\n'
EXAMPLE: Final = """from datetime import UTC, datetime


def order_line(number):
    return {
        "order_id": f"A-{number}",
        "user_id": 42,
        "product_id": 7,
        "product_title": "Espresso cups, set of 4",
        "category": "Kitchen",
        "price": 24.50,
        "quantity": 2,
        "revenue": 49.00,
        "timestamp": datetime.now(UTC).isoformat(),
    }


def test_each_line_is_counted_once_and_what_is_broken_is_kept(ecom_lite_warehouse):
    ecom_lite_warehouse.send([order_line(1), order_line(2), order_line(2), {"order_id": "A-3"}])
    ecom_lite_warehouse.wait_loaded()
    assert ecom_lite_warehouse.query("SELECT count(*) FROM warehouse.fact_sales") == [(2,)]
    assert ecom_lite_warehouse.query("SELECT reason FROM ops.dead_letters") == [("missing_field",)]
    ecom_lite_warehouse.refresh()
    assert ecom_lite_warehouse.check().closes
"""
SETTINGS: Final = """import pytest
from ecom_lite.testing import light_warehouse


@pytest.fixture(scope="session")
def small_batches(tmp_path_factory):
    with light_warehouse(tmp_path_factory.mktemp("small"), load__flush_ms=50, kafka__partitions=2) as warehouse:
        yield warehouse
"""

TESTING_HEAD: Final = f"""# In your own tests

{MADE.format("ecom_lite/testing.py")}

A pytest fixture with a real Kafka, a real PostgreSQL and the real loader between them; no simulated shop, no Spark, no page.
Your producer sends, the loader loads, your test asks the warehouse.

## Install

Into the environment of your own tests, beside pytest, from a clone:

```sh
pip install pytest <folder of the clone>
ecom_lite fetch
```

`fetch` gets the jars, once for this user; afterwards no network is needed. Then one line in `conftest.py`:

```python
{CONFTEST}```

## An example

```python
{EXAMPLE}```

The fixture `ecom_lite_warehouse` is made once for the whole session, and all its tests share the topic and the tables:
ask for your own ids, or count before and after.

## Settings

The fixture has the defaults. For others make your own with `light_warehouse(data_dir, **flags)`; a flag is a setting of
`ecom_lite config`, with two underscores for the point:

```python
{SETTINGS}```

## What it has

"""


def summary_page() -> str:
    """The text of docs/summary.md."""
    return SUMMARY_HEAD + "".join(f"| `{word}` | {meaning} |\n" for word, meaning in WORDS.items())


def testing_page() -> str:
    """The text of docs/testing.md."""
    parts = [
        TESTING_HEAD,
        _entry(f"light_warehouse{inspect.signature(light_warehouse)}", light_warehouse),
        "### `bootstrap`, `topic`\n\nWhere to send: host:port of the broker, and the name of the topic.\n\n",
    ]
    for name, member in vars(LightWarehouse).items():
        if name.startswith("_"):
            continue
        is_property = isinstance(member, property)
        signature = "" if is_property else str(inspect.signature(member)).replace("(self, ", "(").replace("(self)", "()")
        parts.append(_entry(f"{name}{signature}", member))
    return "".join(parts).rstrip() + "\n"


def _entry(title: str, what: Callable[..., Any] | property) -> str:
    shown = title.replace("'", "").partition(" -> ")[0]
    return f"### `{shown}`\n\n{inspect.getdoc(what) or ''}\n\n"


def main() -> int:
    """Write both files."""
    for name, text in (("summary.md", summary_page()), ("testing.md", testing_page())):
        (DOCS / name).write_text(text, "utf-8")
        sys.stderr.write(f"wrote docs/{name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
