"""Reads what a program has written to a terminal."""

from __future__ import annotations

import os


def until_closed(terminal: int) -> bytes:
    """All that comes until the other end is closed; closes this one."""
    written = b""
    try:
        while chunk := os.read(terminal, 65_536):
            written += chunk
    except OSError:  # Linux: the other end is closed
        pass
    finally:
        os.close(terminal)
    return written
