"""The documents say what is true: verbs, settings and files that they name exist."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.main import get_command

from ecom_lite.cli import verbs
from ecom_lite.settings.load import NO_FILE, load_settings
from ecom_lite.settings.show import describe

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
VERBS = set(get_command(verbs()).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_verb_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"`(?:\.venv/bin/)?ecom_lite ([a-z]+)", page.read_text(encoding="utf-8")))
    assert named <= VERBS


def test_the_readme_names_every_verb_a_user_needs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for verb in VERBS - {"migrate", "fetch", "config"}:
        assert re.search(rf"ecom_lite {verb}|make {verb}", text), verb


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            file, _, title = target.partition("#")
            assert (page.parent / file).exists(), target
            assert not title or title in anchors(page.parent / file if file else page), target


@cache
def anchors(page: Path) -> set[str]:
    """The names by which the titles of a page can be reached, as GitHub makes them."""
    found: list[str] = []
    for title in re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
        found.append(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return {name if not (before := found[:number].count(name)) else f"{name}-{before}" for number, name in enumerate(found)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_list_or_a_table_begins_behind_an_empty_line(page: Path) -> None:
    """GitHub does not mind; for the site it would be a part of the paragraph."""
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))
    before = ""
    for line in text.splitlines():
        for item in (r"[-*] ", r"\d+\. ", r"\|"):
            if re.match(item, line):
                assert not before.strip() or before.startswith(" ") or re.match(item, before), line
        before = line


def test_the_config_file_changes_nothing_and_its_examples_are_settings() -> None:
    here = {"check.folder": ROOT / "checks"}  # beside the file, or else where one is
    assert load_settings(ROOT / "config.toml", env={}) == load_settings(NO_FILE, env={}, flags=here)
    names = {setting.name for setting in describe(load_settings(env={}, flags={"events.pos": {"topic": "till"}}))}
    section = ""
    for line in (ROOT / "config.toml").read_text(encoding="utf-8").splitlines():
        text = line.removeprefix("# ").partition("  #")[0].strip()
        if re.fullmatch(r"\[[a-z.]+\]", text):
            section = text.strip("[]")
        elif match := re.match(r"([a-z_]+) = ", text):
            assert f"{section}.{match[1]}" in names, line


def test_compose_is_what_its_specification_allows() -> None:
    """compose-spec.json is schema/compose-spec.json of compose-spec/compose-spec at 170098b (Apache-2.0)."""
    schema = json.loads((ROOT / "tests" / "unit" / "compose-spec.json").read_text(encoding="utf-8"))
    check = jsonschema.validators.validator_for(schema)(schema)
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert [error.message for error in check.iter_errors(compose)] == []
    compose["services"]["postgres"]["portz"] = []
    assert len(list(check.iter_errors(compose))) == 1


def test_compose_pins_its_images_keeps_its_data_and_stays_on_loopback() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert set(compose["services"]) == {"redpanda", "postgres", "grafana"}
    for name, service in compose["services"].items():
        assert re.search(r":v?\d+\.\d+", service["image"]), f"{name} is not pinned"
        assert service["healthcheck"]["test"]
        assert service["profiles"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        assert any(volume.split(":")[0] in compose["volumes"] for volume in service["volumes"])
    grafana = compose["services"]["grafana"]["environment"]
    assert grafana["GF_SERVER_HTTP_ADDR"] == grafana["GF_SERVER_DOMAIN"] == "127.0.0.1"
    assert grafana["GF_SERVER_ENFORCE_DOMAIN"] == "true" and grafana["GF_SERVER_ROOT_URL"].startswith("http://127.0.0.1:")


def test_versions_agree() -> None:
    from ecom_lite import __version__

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__
    assert (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").startswith("# Changelog")


def test_decisions_have_context_choice_and_consequence() -> None:
    for record in (ROOT / "docs" / "decisions").glob("[0-9]*.md"):
        text = record.read_text(encoding="utf-8")
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Consequence")), record.name


def test_the_lock_names_no_address() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in (ROOT / "ecom_lite" / "engines" / "jars.lock").read_text(encoding="utf-8")
