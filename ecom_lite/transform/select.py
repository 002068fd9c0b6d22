"""Which models there are to select, and what is said of a name that is none of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from ..errors import UsageError


def model_names(project_dir: Path) -> frozenset[str]:
    """The project's models, known without dbt: it calls each by the name of its file."""
    return frozenset(path.stem for path in (project_dir / "models").rglob("*.sql"))


def require_known(select: Sequence[str], models: Iterable[str]) -> None:
    """Raises UsageError, with names that are near."""
    known = sorted(models)
    for name in select:
        if name not in known:
            near = get_close_matches(name, known, 3, 0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known)}"
            raise UsageError(f"no model {name!r}: {hint}")
