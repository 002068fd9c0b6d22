"""What came of the checks as JUnit XML, for a build server: one test case for each check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from .verdict import ERROR, FAIL, SKIPPED, Result

SUITE: Final = "ecom_lite check"
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Result]) -> bytes:
    """A document. What only warns has passed, and says so in its output: JUnit knows no warning."""
    failing = [result for result in results if result.fails]
    suite = ElementTree.Element(
        "testsuite",
        name=SUITE,
        tests=str(len(results)),
        failures=str(sum(result.state == FAIL for result in failing)),
        errors=str(sum(result.state == ERROR for result in failing)),
        skipped=str(sum(result.state == SKIPPED for result in results)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        suite.append(_case(result))
    everything = ElementTree.Element("testsuites")
    everything.append(suite)
    return bytes(ElementTree.tostring(everything, encoding="utf-8", xml_declaration=True))


def _case(result: Result) -> ElementTree.Element:
    check = result.check
    case = ElementTree.Element("testcase", classname="ecom_lite.check", name=check.name, time=f"{result.seconds:.3f}")
    if check.file is not None:
        case.set("file", _text(str(check.file)))
    told = _text(result.told)
    if result.state == SKIPPED:
        ElementTree.SubElement(case, "skipped", message=told)
    elif result.fails:
        kind = "failure" if result.state == FAIL else "error"
        ElementTree.SubElement(case, kind, message=told, type=check.severity).text = _text(_whole(result))
    elif result.state in (FAIL, ERROR):
        ElementTree.SubElement(case, "system-out").text = f"warning: {told}"
    return case


def _whole(result: Result) -> str:
    lines = [str(line) for line in result.lines if not line.closes] or [result.reason]
    return "\n".join([result.check.description, *lines, *(str(dict(row)) for row in result.rows)])


def _text(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
