"""The header of a check: what is read from it, and what is wrong with it is said with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.check.docs import PAGE, docs
from ecom_lite.check.named import Check, built_in, choose, own_checks, parse
from ecom_lite.errors import UsageError
from ecom_lite.settings.load import load_settings

WHOLE = """-- description: Orders and lines agree.
-- left: orders
-- right: lines
-- severity: warning
-- needs: marts.daily_sales, marts.hourly(hour, net)
-- needs: ops.shops
-- Why it is so.
SELECT 1 AS left, 1 AS right  -- severity: error
"""


def test_a_header_is_read_whole() -> None:
    found = parse("agree", WHOLE)
    assert (found.name, found.description, found.left, found.right) == ("agree", "Orders and lines agree.", "orders", "lines")
    assert found.severity == "warning" and found.sql == WHOLE and not found.problem
    assert found.needs == (("marts.daily_sales", ()), ("marts.hourly", ("hour", "net")), ("ops.shops", ()))


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("SELECT 1", "bare"),
        ("-- No header: just this.\nSELECT 1", "No header: just this."),
        ("\n\n-- Description: x\nSELECT 1", "x"),
    ],
)
def test_without_a_header_it_is_an_error_by_the_first_comment_or_its_name(text: str, description: str) -> None:
    found = parse("bare", text)
    assert (found.description, found.left, found.right, found.severity, found.needs) == (
        description,
        "left",
        "right",
        "error",
        (),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- severity: fatal\nSELECT 1", "`severity: fatal`: give error or warning"),
        ("-- description: x\n-- severty: warning\nSELECT 1", "line 2: `severty` .* did you mean `severity`"),
        ("-- left: a\n-- left: b\nSELECT 1", "line 2: `left` stands there twice"),
        ("-- description: x\n/* SELECT 1; */ ;", "holds no SQL statement"),
        ("", "holds no SQL statement"),
    ],
)
def test_what_is_wrong_with_a_header_is_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse("wrong", text)


def test_ours_have_whole_headers_and_only_ours_are_given_values() -> None:
    names = [check.name for check in built_in()]
    assert len(set(names)) == len(names) >= 13 and {"count", "references", "history", "money", "future", "freshness"} <= set(
        names
    )
    for check in built_in():
        assert check.description.endswith(".") and "left" not in (check.left, check.right) and check.file is None
    asks = {check.name for check in built_in() if check.needs_broker}
    assert asks == {"count", "minutes"}
    assert parse("own", "SELECT '%(ends)s'", Path("own.sql")).values == frozenset()


def test_a_folder_of_own_checks(tmp_path: Path) -> None:
    assert own_checks(tmp_path / "nowhere") == []
    (tmp_path / "b.sql").write_text("\ufeff-- description: With a mark.\nSELECT 1", "utf-8")
    (tmp_path / "a.sql").write_bytes(b"SELECT '\xff'")
    (tmp_path / "count.sql").write_text("SELECT 1")
    (tmp_path / "my check.sql").write_text("SELECT 1")
    (tmp_path / "notes.txt").write_text("no check")
    (tmp_path / "dir.sql").mkdir()
    found = {check.name: check for check in own_checks(tmp_path)}
    assert list(found) == ["a", "b", "count", "dir", "my check"]
    assert found["b"].description == "With a mark." and not found["b"].problem and found["b"].file == tmp_path / "b.sql"
    for name, reason in {
        "a": "not UTF-8", "count": "the name of a built-in check", "dir": "Is a directory", "my check": "letters, digits"
    }.items():  # fmt: skip
        assert found[name].problem.startswith(f"{tmp_path / name}.sql: ") and reason in found[name].problem


def test_checks_are_chosen_by_name_in_their_own_order() -> None:
    there = [Check(name, "SELECT 1", name) for name in ("count", "references", "stock")]
    assert [check.name for check in choose(there, ["stock", "count", "stock"])] == ["count", "stock"]
    with pytest.raises(UsageError, match="--only refernces: no such check; did you mean references"):
        choose(there, ["count", "refernces"])
    with pytest.raises(UsageError, match="no such check; there is count, references, stock"):
        choose(there, ["zzz"])
    with pytest.raises(UsageError, match="give the names of checks"):
        choose(there, [])


def test_the_folder_is_beside_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shop = tmp_path / "shop"
    shop.mkdir()
    assert load_settings(env={}).check.folder == tmp_path / "checks"
    (shop / "config.toml").write_text("[shop]\nseed = 3\n")
    assert load_settings(shop / "config.toml", env={}).check.folder == shop / "checks"
    (shop / "config.toml").write_text('[check]\nfolder = "mine"\n')
    assert load_settings(shop / "config.toml", env={}).check.folder == shop / "mine"
    env = {"ECOM_LITE_CHECK__FOLDER": "here"}
    assert load_settings(shop / "config.toml", env=env).check.folder == tmp_path / "here"


def test_the_document_is_current() -> None:
    assert PAGE.read_text("utf-8") == docs(), "run `make docs`"
