"""Rule files: ours are whole, and what is wrong in one is said by file, key, value and what is allowed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ecom_lite.alerts.bounds import Deviation, Threshold
from ecom_lite.alerts.grafana import FILE, provisioning
from ecom_lite.alerts.message import json_schema
from ecom_lite.alerts.rules import read_rule, read_rules
from ecom_lite.errors import ConfigError
from ecom_lite.settings.bundled import bundled
from tests.unit.alerts.rule_text import rule_text

ROOT = Path(__file__).resolve().parents[3]
BOARDS = {"realtime-operations", "business-intelligence", "pipeline-health", "explorer"}


def write(folder: Path, name: str = "mine", changes: Mapping[str, object] | None = None, text: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.toml"
    file.write_text(text or rule_text(**{"name": name, **(changes or {})}), "utf-8")
    return file


def test_our_rules_are_whole() -> None:
    rules = read_rules(bundled("alerts"))
    names = {"dead_letters", "disk", "lag", "open_check", "order_rate", "returns", "stale_marts"}
    assert {rule.name for rule in rules} == names
    for rule in rules:
        assert rule.file.stem == rule.name and rule.for_s > 0 and rule.unit
        assert rule.board in BOARDS | {""}
        assert "warehouse.fact_sales" not in rule.question.text and "warehouse.sales" not in rule.question.text, "never all facts"
    assert {rule.name for rule in rules if isinstance(rule.bounds, Deviation)} == {"order_rate", "returns"}


def test_a_rule_has_what_its_file_says(tmp_path: Path) -> None:
    rule = read_rule(write(tmp_path, changes={"every": "30s", "for": "2m", "after_start": 0, "window": "1h"}))
    assert (rule.every_s, rule.for_s, rule.after_start_s, rule.window_s) == (30, 120, 0, 3600)
    assert rule.bounds == Threshold(above=5.0) and rule.fires() == "above 5 for 2m" and rule.enabled


def test_your_folder_adds_rules_and_replaces_ours_by_name(tmp_path: Path) -> None:
    write(tmp_path, "mine")
    write(tmp_path, "lag", {"title": "Another lag"})
    write(tmp_path, "disk", {"enabled": False})
    rules = {rule.name: rule for rule in read_rules(bundled("alerts"), tmp_path)}
    assert set(rules) == {"dead_letters", "lag", "mine", "open_check", "order_rate", "returns", "stale_marts"}
    assert rules["lag"].title == "Another lag"
    write(tmp_path, "other", {"name": "mine"})
    with pytest.raises(ConfigError, match=r"other\.toml: name = 'mine': .*mine\.toml has this name"):
        read_rules(bundled("alerts"), tmp_path)
    with pytest.raises(ConfigError, match=r"alerts\.folder: .*nowhere: No such file"):
        read_rules(bundled("alerts"), tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"severity": "bad"}, "severity = 'bad': give info, warning or critical"),
        ({"severity": None}, "there is no severity: a rule needs it"),
        ({"name": "A rule"}, "name = 'A rule': give up to 63 of a-z"),
        ({"for": "soon"}, "for = 'soon': give a time such as 60s"),
        ({"every": "100ms"}, "every = '100ms': give a time such as"),
        ({"every": "0.1s"}, "every = '0.1s': give a time from 1s to 1d"),
        ({"enabled": "no"}, "enabled = 'no': give true or false"),
        ({"titel": "x"}, "titel = 'x': no such key; did you mean title?"),
        ({"board": "a b"}, "board = 'a b': give the uid of a board"),
        ({"title": ""}, "title = '': give one line of text"),
        ({"question": "-- nothing"}, "question = '-- nothing': it holds no SQL statement"),
        ({"question": "SELECT $then"}, r"question = 'SELECT \$then': there is no \$then; there is \$now, \$window"),
        ({"question": "SELECT $window"}, r"the question asks for \$window, and there is no key window"),
        ({"question": 5}, "question = 5: give an SQL statement"),
        ({"threshold": {}}, r"\[threshold\]: give above, below, or both"),
        ({"threshold": 5}, r"threshold = 5: it must be a section, \[threshold\]"),
        ({"threshold": {"above": "5"}}, r"threshold\.above = '5': give a number"),
        ({"threshold": {"above": True}}, r"threshold\.above = True: give a number"),
        ({"threshold": {"above": 1, "below": 2}}, r"threshold\.below = 2: it is more than above = 1"),
        ({"threshold": {"abov": 1}}, r"threshold\.abov = 1: no such key; did you mean above\?"),
        ({"threshold": None}, r"no bounds: give one of \[threshold\] and \[deviation\]"),
        ({"deviation": {"above": 5}}, r"threshold and deviation: give one of"),
        ({"threshold": None, "deviation": {}}, r"\[deviation\]: give above, below, or both"),
        ({"threshold": None, "deviation": {"above": -1}}, r"deviation\.above = -1: give a number above 0: so much more"),
        ({"threshold": None, "deviation": {"below": 10}}, r"deviation\.below = 10: give a number below 0: so much less"),
        ({"threshold": None, "deviation": {"above": 5, "weeks": 0}}, r"deviation\.weeks = 0: give a whole number from 1 to 52"),
        ({"threshold": None, "deviation": {"above": 5, "weeks": 2, "at_least": 3}}, r"deviation\.at_least = 3: .* from 1 to 2"),
        ({"threshold": None, "deviation": {"above": 5, "chance": 0}}, r"deviation\.chance = 0: give a number from 1 to 100"),
        ({"threshold": None, "deviation": {"above": 5, "measure": "sigma"}}, r"measure = 'sigma': give percent or deviations"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    file = write(tmp_path, changes=changes)
    with pytest.raises(ConfigError, match=said) as error:
        read_rule(file)
    assert str(error.value).startswith(f"{file}: ") and "\n" not in str(error.value)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"x\.toml: not valid TOML"):
        read_rule(write(tmp_path, "x", text="name = "))
    (tmp_path / "y.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(ConfigError, match=r"y\.toml: not valid TOML"):
        read_rule(tmp_path / "y.toml")
    with pytest.raises(ConfigError, match=r"z\.toml: No such file"):
        read_rule(tmp_path / "z.toml")


def test_rules_whose_long_names_begin_alike_are_told_apart_in_grafana(tmp_path: Path) -> None:
    alike = "orders_by_country_and_category_of"
    names = ["lag", "one_that_has_a_long_name_and_is_alone", f"{alike}_france", f"{alike}_finland"]
    made = provisioning([read_rule(write(tmp_path, name)) for name in names], "UTC", 300, 10)
    uids = [rule["uid"] for group in json.loads(made.split("\n", 2)[2])["groups"] for rule in group["rules"]]
    assert uids[:2] == ["ecom-lite-lag", "ecom-lite-one-that-has-a-long-name-and-i"]
    assert len(set(uids)) == 4 and max(map(len, uids)) == 40


def test_what_is_made_from_the_rules_is_current() -> None:
    made = provisioning(read_rules(bundled("alerts")), "UTC", 300, 10)
    assert (ROOT / "grafana" / FILE).read_text("utf-8") == made, "run `make docs`"
    assert json.loads((ROOT / "docs" / "alert.schema.json").read_text("utf-8")) == json_schema(), "run `make docs`"
