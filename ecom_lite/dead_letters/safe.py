"""A dead letter on a terminal: its bytes as text in which nothing can act on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..contract.rejected import REASONS, printable
from .letters import Content, Headers, Letter, iso

MAX_VALUE_BYTES: Final = 4000  # so much of a value is shown ...
MAX_SMALL_BYTES: Final = 200  # ... and so much of a key, of a header's name, and of its value
MAX_HEADERS: Final = 30


def shown(data: bytes | None, limit: int) -> str:
    """Bytes as text: what is not printable, or not UTF-8, as \\x escapes; long ones cut, with the size said."""
    if data is None:
        return "none"
    text = printable(data[:limit].decode("utf-8", "backslashreplace"))
    if len(data) > limit:
        text += f" ... ({len(data) - limit:,} more bytes)"
    return text


def size(data: bytes | None) -> str:
    if data is None:
        return "none"
    return f"{len(data):,} byte{'' if len(data) == 1 else 's'}"


def card(letter: Letter, content: Content) -> Iterator[str]:
    """All about one letter, line by line."""
    yield f"letter     {letter.place} of topic {printable(letter.topic)}"
    yield f"reason     {printable(letter.reason)}: {REASONS.get(letter.reason, 'a reason of another version of ecom_lite')}"
    yield f"detail     {printable(letter.detail)}"
    yield f"class      {printable(content.error_class)}"
    yield f"sent       {iso(letter.broker_time) or 'without a time'}"
    yield f"found      {iso(letter.loaded_at)}"
    if letter.link:
        yield f"re-sent    from {letter.link}, says its header"
    if letter.resent_at:
        yield f"re-sent    {iso(letter.resent_at)}: {letter.mark}"
    if letter.purged_at:
        yield f"purged     {iso(letter.purged_at)}: {letter.purged_bytes or 0:,} bytes are gone, the row stays for the count"
    yield from _headers(content.headers)
    if letter.purged_at:
        return
    yield f"key        {size(content.key)}"
    if content.key:
        yield f"           {shown(content.key, MAX_SMALL_BYTES)}"
    tombstone = " (a tombstone)" if content.value is None else ""
    yield f"value      {size(content.value)}{tombstone}"
    if content.value:
        yield f"           {shown(content.value, MAX_VALUE_BYTES)}"
        if len(content.value) > MAX_VALUE_BYTES:
            yield f"           `ecom_lite dead show {letter.place} --raw > FILE` writes all of it"


def _headers(headers: Headers) -> Iterator[str]:
    yield f"headers    {len(headers) or 'none'}"
    for name, value in headers[:MAX_HEADERS]:
        yield f"           {shown(name.encode('utf-8', 'backslashreplace'), MAX_SMALL_BYTES)} = {shown(value, MAX_SMALL_BYTES)}"
    if len(headers) > MAX_HEADERS:
        yield f"           ... and {len(headers) - MAX_HEADERS:,} more"


def content_json(content: Content) -> dict[str, Any]:
    """The bytes for programs: exact in base64, and as text where they are UTF-8."""
    return {
        **_both("key", content.key),
        **_both("value", content.value),
        "headers": [{"name": name, **_both("value", value)} for name, value in content.headers],
        "error_class": content.error_class,
    }


def _both(name: str, data: bytes | None) -> dict[str, str | None]:
    import base64

    try:
        text = None if data is None else data.decode()
    except UnicodeDecodeError:
        text = None
    return {name: text, f"{name}_base64": None if data is None else base64.b64encode(data).decode()}
