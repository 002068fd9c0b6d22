"""The SBOM and the page on licences fit the locks: a package or jar that is locked anew must be told anew."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from .sbom import JARS, PAGE, ROOT, SBOM, Part, page, parts


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SBOM.read_text("utf-8"))
    return found


def test_every_part_has_the_version_that_is_locked() -> None:
    packages = dict(re.findall(r"(?m)^([a-z0-9._-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text("utf-8")))
    lock = tomllib.loads(JARS.read_text("utf-8"))
    jars = {(f"{jar['group']}:{jar['artifact']}", jar["version"]) for group in lock.values() for jar in group}
    told = [(part["purl"].split("/")[0], part["name"], part["version"]) for part in document()["components"]]
    assert jars == {(name, version) for kind, name, version in told if kind == "pkg:maven"}
    stale = {name: version for kind, name, version in told if kind == "pkg:pypi" and packages.get(name) != version}
    assert stale == {}, "run `make docs`"


def test_whatever_an_installation_here_has_is_told_of() -> None:
    assert {part.purl for part in parts()} <= {part["purl"] for part in document()["components"]}, "run `make docs`"


def test_the_document_is_whole() -> None:
    found = document()
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    refs = [part["bom-ref"] for part in found["components"]]
    assert len(refs) == len(set(refs))
    assert found["dependencies"] == [{"ref": "ecom-lite", "dependsOn": refs}]
    assert all(part["licenses"][0]["expression"] for part in found["components"])


def test_the_page_on_licences_is_of_this_document() -> None:
    told = [
        Part(part["purl"].split(":")[1].split("/")[0], part["name"], part["version"], part["licenses"][0]["expression"])
        for part in document()["components"]
    ]
    assert page(told) == PAGE.read_text("utf-8")
