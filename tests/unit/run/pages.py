"""Makes docs/testing.md, from docstrings and options of the plugin, and docs/summary.md: `python -m tests.unit.run.pages`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from ecom_lite.run.summary import WORDS
from ecom_lite.testing import DeadLetter, LightWarehouse, TopicWarehouse, light_warehouse
from ecom_lite.testing.events import shop_events
from ecom_lite.testing.options import OPTIONS

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


def test_each_line_is_counted_once_and_what_is_broken_is_kept(ecom_lite_topic):
    ecom_lite_topic.send([order_line(1), order_line(2), order_line(2), {"order_id": "A-3"}])
    ecom_lite_topic.assert_facts(2)
    ecom_lite_topic.assert_facts(1, order_id="A-1", quantity=2, revenue="49.00")
    (letter,) = ecom_lite_topic.assert_dead(1, reason="missing_field")
    assert letter.event == {"order_id": "A-3"}
    ecom_lite_topic.assert_closes()


def test_nothing_of_it_is_here(ecom_lite_topic, ecom_lite_events):
    events = ecom_lite_events(100)
    ecom_lite_topic.send(events)
    ecom_lite_topic.assert_facts(events)
    ecom_lite_topic.assert_dead(0)
"""
SETTINGS: Final = """import pytest
from ecom_lite.testing import light_warehouse


@pytest.fixture(scope="session")
def small_batches(tmp_path_factory):
    with light_warehouse(tmp_path_factory.mktemp("small"), load__flush_ms=50, kafka__partitions=2) as warehouse:
        yield warehouse
"""

TESTING_HEAD: Final = f"""# In your own tests

{MADE.format("ecom_lite/testing")}

A plugin of pytest with a real Kafka, a real PostgreSQL and the real loader between them; no simulated shop, no Spark, no page.
Your producer sends, the loader loads, your test asks the warehouse. [examples/testing](../examples/testing) is a whole project.

## Install

Into the environment of your own tests, beside pytest, from a clone:

```sh
pip install pytest <folder of the clone>
ecom_lite fetch
```

`fetch` gets the jars, once for this user; afterwards no network is needed. The fixtures are there without a line in
`conftest.py`. Where pytest loads no plugins by itself (`PYTEST_DISABLE_PLUGIN_AUTOLOAD`), or in a project of before, this line
has the same effect:

```python
{CONFTEST}```

## An example

```python
{EXAMPLE}```

## The fixtures

| fixture | what it is |
|---|---|
| `ecom_lite_topic` | a topic, a database and a loader of this test's own: what other tests send is not there |
| `ecom_lite_warehouse` | one for the whole session (of each worker of pytest-xdist): tests see what the others have sent |
| `ecom_lite_events` | `ecom_lite_events(n)` gives n events of the simulated shop, the same ones each time |

Kafka and PostgreSQL start when the tests have been collected and one of them wants a fixture; a session that wants none starts
and imports nothing. They are one set for all workers of pytest-xdist, in a process of their own, and end with the last process
of the session, however that ends: nothing is left behind by a kill either. Another session beside it has engines of its own.
Their files are in memory (`/dev/shm`) where that has 2 GB free and may hold programs, else in the temporary folder; set
`TMPDIR` to have them in a folder of yours, for instance for tests with millions of events.
The first session of a version makes what those after it copy: a cluster that is initialised and migrated, and at its end, in
the background, an archive of Kafka's classes (both in the user's cache; delete them at any time). What it costs:
[benchmarks](benchmarks.md#the-pytest-plugin).

Loaders work in that process too, with clients of their own: a test may freeze the clock, close sockets or patch what it likes,
and what it has sent is loaded all the same. `send` and what asks the warehouse are in the test's own process, and need both.
Your producer reaches the broker at `bootstrap` with no login.

## Options

In `[tool.pytest.ini_options]` of pyproject.toml:

| option | default | what it is |
|---|---|---|
"""

OPTIONS_END: Final = f"""
A line of `ecom_lite_settings` counts more than `config.toml` in the folder that pytest is started in, and than `ECOM_LITE_*`
variables. `load.flush_ms` is 10 where you do not say. For one test (with two underscores for the point; a marker of the class
or module counts, too):

```python
@pytest.mark.ecom_lite(kafka__partitions=1, events__attributes={{"channel": "text"}})
def test_channels(ecom_lite_topic): ...
```

Settings of the engines (`kafka.heap_mb`, `jars.*`, `postgres.*`) are the session's. What needs further topics, servers that run
elsewhere or a loader in a process of its own is made with `light_warehouse(data_dir, **flags)`, which starts everything anew:

```python
{SETTINGS}```

## What they have

"""


def summary_page() -> str:
    """The text of docs/summary.md."""
    return SUMMARY_HEAD + "".join(f"| `{word}` | {meaning} |\n" for word, meaning in WORDS.items())


def testing_page() -> str:
    """The text of docs/testing.md."""
    options = "".join(f"| `{name}` | {_default(default)} | {text} |\n" for name, (_, default, text) in OPTIONS.items())
    parts = [
        TESTING_HEAD + options + OPTIONS_END,
        "### `bootstrap`, `topic`, `conninfo`\n\nWhere to send: host:port of the broker, and the name of the topic. And a libpq "
        "connection string of the role that may read everything.\n\n",
    ]
    for name, member in members():
        parts.append(_entry(f"{name}{_signature(member)}", member))
    parts += [
        _entry(f"ecom_lite_events{inspect.signature(shop_events)}", shop_events),
        _entry(f"light_warehouse{inspect.signature(light_warehouse)}", light_warehouse),
        f"### A dead letter\n\n{inspect.getdoc(DeadLetter)} It has {', '.join(f'`{name}`' for name in letter_fields())}.\n",
    ]
    return "".join(parts).rstrip() + "\n"


def members() -> list[tuple[str, Callable[..., Any]]]:
    """What the fixtures can, by name: of both, then what is `ecom_lite_topic`'s and `ecom_lite_warehouse`'s alone."""
    both = [(name, each) for name, each in vars(LightWarehouse).items() if inspect.isfunction(each)]
    alone = [(name, each) for name, each in vars(TopicWarehouse).items() if inspect.isfunction(each) and name not in dict(both)]
    return [(name, each) for name, each in (*both, *alone) if not name.startswith("_")]


def letter_fields() -> list[str]:
    return [field.name for field in fields(DeadLetter)] + ["event"]


def _signature(member: Callable[..., Any]) -> str:
    return str(inspect.signature(member)).replace("(self, ", "(").replace("(self)", "()")


def _default(value: object) -> str:
    return f"`{value}`" if value else "none"


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
