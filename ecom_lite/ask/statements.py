"""Where a statement ends, and how it looks on one line: only texts, names, comments and `;` matter for that."""

from __future__ import annotations

import re
from typing import Final

from ..errors import UsageError

# 'text', E'te\'xt', "name", $tag$text$tag$, -- remark, /* remark */, ;, space, anything else (a $ may be a part of a name). What
# has no end goes to the end.
_PARTS: Final = re.compile(
    r"""(?P<text>\b[eE]'(?:\\.|''|[^'\\])*(?P<open_e>'|\Z) | '(?:''|[^'])*(?P<open_text>'|\Z) | "(?:""|[^"])*(?P<open_name>"|\Z)
               | \$(?P<tag>\w*)\$(?:.*?)(?P<open_dollar>\$(?P=tag)\$|\Z))
      | (?P<remark>--[^\n]*(?P<open_line>\n|\Z) | /\*(?:.*?)(?P<open_remark>\*/|\Z))
      | (?P<end>;)
      | (?P<space>\s+)
      | (?P<word>[^\W\d][\w$]*|\w+|.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSED: Final = {"open_e": "'", "open_text": "'", "open_name": '"', "open_dollar": "$", "open_remark": "*"}


def split(text: str) -> tuple[list[str], str]:
    """The statements that are complete, each without its `;`, and what is left: the beginning of the next one, or "".

    Remarks and empty statements alone are nothing.
    """
    statements, begin, something = [], 0, False
    for part in _PARTS.finditer(text):
        if part["end"]:
            if something:
                statements.append(text[begin : part.start()].strip())
            begin, something = part.end(), False
        elif part["text"] or part["word"]:
            something = True
    rest = text[begin:]
    return statements, rest if something or open_in(rest) else ""


def only(text: str) -> str:
    """The one statement in the text; a `;` at its end and remarks do not matter. Raises UsageError where there is none, or more.

    (DuckDB would run several and answer the last one.)
    """
    complete, rest = split(text)
    found = [*complete, rest.strip()] if rest.strip() else complete
    if not found:
        raise UsageError("no SQL statement was given")
    if len(found) > 1:
        raise UsageError(f"{len(found)} SQL statements were given: give one, and call `ecom_lite sql` once for each")
    return found[0]


def open_in(text: str) -> str:
    """What the text ends inside: `'` or `$` a text, `"` a name, `*` a remark; "" where it is none of these."""
    parts = list(_PARTS.finditer(text))
    return next((mark for name, mark in _CLOSED.items() if parts[-1][name] == ""), "") if parts else ""


def one_line(text: str) -> str:
    """The same statement as one line, for the history: without remarks, each space one blank. Texts stay as they are."""
    line = ""
    for part in _PARTS.finditer(text):
        blank = bool(part["space"] or part["remark"])
        if blank and line and not line.endswith(" "):
            line += " "
        elif not blank:
            line += part[0]
    return line.strip()
