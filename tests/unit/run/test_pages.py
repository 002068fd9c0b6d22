"""docs/testing.md and docs/summary.md are what the code says of itself."""

from __future__ import annotations

import inspect

from ecom_lite.run.summary import COUNTED, WORDS
from ecom_lite.testing.options import OPTIONS

from . import pages

HINT = "run python -m tests.unit.run.pages"


def test_the_page_of_the_plugin_is_current_and_has_every_public_method_and_option() -> None:
    written = (pages.DOCS / "testing.md").read_text("utf-8")
    assert written == pages.testing_page(), HINT
    for name, member in pages.members():
        assert f"### `{name}" in written and inspect.getdoc(member), name
    assert all(f"| `{name}` |" in written for name in OPTIONS)


def test_the_page_of_the_summary_is_current() -> None:
    assert (pages.DOCS / "summary.md").read_text("utf-8") == pages.summary_page(), HINT
    assert set(COUNTED) <= set(WORDS)
