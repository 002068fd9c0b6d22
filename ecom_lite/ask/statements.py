"""Where a statement ends: only texts, names, comments and `;` matter for that."""

from __future__ import annotations

import re
from typing import Final

from ..errors import UsageError

# 'text', E'te\'xt', "name", $tag$text$tag$, -- remark, /* remark */, ;, space, anything else. What has no end goes to the end.
_PARTS: Final = re.compile(
    r"""(?P<text>\b[eE]'(?:\\.|''|[^'\\])*(?P<open_e>'|$) | '(?:''|[^'])*(?P<open_text>'|$) | "(?:""|[^"])*(?P<open_name>"|$)
               | \$(?P<tag>\w*)\$(?:.*?)(?P<open_dollar>\$(?P=tag)\$|$))
      | (?P<remark>--[^\n]*(?P<open_line>\n|$) | /\*(?:.*?)(?P<open_remark>\*/|$))
      | (?P<end>;)
      | (?P<space>\s+)
      | (?P<word>\w+|.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSED: Final = ("open_e", "open_text", "open_name", "open_dollar", "open_remark")


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
    return statements, rest if something or _is_open(rest) else ""


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


def _is_open(text: str) -> bool:
    """Whether it ends inside a text, a name or a remark."""
    parts = list(_PARTS.finditer(text))
    return bool(parts) and any(parts[-1][name] == "" for name in _CLOSED)
