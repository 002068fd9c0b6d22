"""Makes docs/checks.md from the headers of the checks: `python -m ecom_lite.check.docs` writes it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from .named import built_in

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "checks.md"
HEAD: Final = """# Checks

<!-- Made by `python -m ecom_lite.check.docs` from its text and ecom_lite/check/sql/checks. Do not edit by hand. -->

`ecom_lite check` runs named checks, all of one moment: one PostgreSQL snapshot, so they hold beside a live run, too. Each is
an SQL file.

| | |
|---|---|
| `ecom_lite check` | all of them; exit code 1 when one fails, and its name |
| `ecom_lite check --list` | their names and what they prove |
| `ecom_lite check --only count,faults` | some of them. What needs no broker starts none and waits for no loader |
| `ecom_lite check --watch 30` | again and again until Ctrl-C; alone, `--watch` is once a minute |
| `ecom_lite check --json` | one object; of each check `state` (pass, fail, skipped, error), `seconds` and lines |
| `ecom_lite check --full` | on the facts themselves: nothing that is kept of them is believed |
| `ecom_lite check --junit checks.xml` | JUnit XML for a build server, beside what is printed |

Severity `error` fails the command; `warning` is shown and does not. Where a run is up, the checks that ask the broker wait until
its records of this moment are loaded (60 s at most), and say so.

## Built in

| name | severity | what it proves | left | right |
|---|---|---|---|---|
"""
OWN: Final = """
## What they read

`count` and `faults` read counters only. The others need all facts, and read them where that is quick: order lines and money from
[the lake](lake.md) (some tens of milliseconds for a million), what came since from PostgreSQL; the members of dimensions and the
lines by day from sums that are kept by load order. Lake and kept sums know nothing of each other, and the checks `lake`,
`rollups` and `rows` compare them with each other and with the rows that there are. The last line says so, and how old the lake is
(`from_lake` in JSON). A check that fails so is carried out anew on the facts themselves, and only that counts.

Facts are only ever added, which is what makes it right. A statement that changes or deletes some by hand is counted
(`ops.fact_changes`), and from then on all facts are read. `--full` reads all of them in any case: some 1 s for a million.

A check whose tables or columns dbt has not made yet is skipped, and says what is missing.

## Your own

An `.sql` file in the folder `checks/` beside `config.toml` (`check.folder` names another) is a check by the name of the file:

```sql
-- description: Nothing is sold below one cent.
-- severity: warning
-- left: lines that are nearly free
SELECT order_id, unit_price FROM warehouse.order_lines WHERE unit_price < 0.01
```

It is one statement of PostgreSQL that reads. Each row that it gives is a difference: it passes when there is none. Or it gives
the columns `left` and `right`, which must be equal:

```sql
-- description: The day's sales add up to the lines.
-- left: revenue in daily_sales
-- right: revenue of the products
-- needs: marts.daily_sales(revenue), marts.product_performance
SELECT (SELECT sum(revenue) FROM marts.daily_sales) AS left,
       (SELECT sum(revenue) FROM marts.product_performance) AS right
```

| header | meaning |
|---|---|
| `description` | what it proves; else the first comment |
| `left`, `right` | what the two sides are, for the one who reads the table |
| `severity` | `error` (as it is without) or `warning` |
| `needs` | relations, with columns in parentheses where they matter: while one is not there, the check is skipped |

| column | meaning |
|---|---|
| `left`, `right` | must be equal |
| `up_to` | `left` is the least and this the most that `right` may be |
| `closes` | true or false, where equality is not the question |
| `line`, `note` | the name of the line, and a remark; several rows are several lines |

It runs as `ecom_reader`, which can only read, in the same snapshot as the others, for `check.timeout_s` at most (10 s). An error
in it is one line with the file and the place, and fails the check.

With `check.every_s = 60` a run takes your own checks once a minute: `ecom_lite status --json` has the newest results, the log
says when one begins to fail and when it passes again, and the [metrics](metrics.md) `ecom_lite_check_ok` and
`ecom_lite_check_timestamp_seconds` have its name, severity, result and time.
"""


def docs() -> str:
    """The text of docs/checks.md."""
    rows = [f"| `{each.name}` | {each.severity} | {each.description} | {each.left} | {each.right} |\n" for each in built_in()]
    return HEAD + "".join(rows) + OWN


def main() -> int:
    """Write the file."""
    PAGE.write_text(docs(), "utf-8")
    sys.stderr.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
