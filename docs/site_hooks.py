"""What mkdocs.yml cannot say: pages from beside docs/, the list of decisions, and links that hold on GitHub and on the site."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any, Final

from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).resolve().parents[1]
DECISIONS: Final = "docs/decisions/README.md"
FROM_BESIDE: Final = {  # file of the repository -> page of the site
    "README.md": "readme.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "examples/README.md": "examples.md",
    "examples/testing/README.md": "example_project.md",
}
LINK: Final = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]`]|`[^`]*`)*)\]\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")
FENCE: Final = re.compile(r"(?ms)^```.*?^```$")


def decisions() -> dict[str, str]:
    """The page of each decision, and its title without the number's markup."""
    files = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    return {f"decisions/{file.name}": file.read_text("utf-8").partition("\n")[0].removeprefix("# ") for file in files}


def on_config(config: Any) -> None:
    """The decisions stand in the navigation without a line each in mkdocs.yml."""
    for entry in config.nav:
        if "Decisions" in entry:
            entry["Decisions"] += list(decisions())


def on_files(files: Files, config: Any) -> Files:
    for source, page in FROM_BESIDE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    here = page.file.src_uri
    source = {page: file for file, page in FROM_BESIDE.items()}.get(here, f"docs/{here}")
    if source == DECISIONS:
        markdown += "".join(f"- [{title}]({Path(file).name})\n" for file, title in decisions().items())
    return linked(markdown, source, here)


def linked(markdown: str, source: str, here: str) -> str:
    """The links of a file of the repository as they are on its page; code is left alone."""

    def one(link: re.Match[str]) -> str:
        found = page_of(os.path.normpath(PurePosixPath(source).parent / link["target"]))
        if found is None:
            return link["text"]
        return f"{link['image']}[{link['text']}]({os.path.relpath(found, PurePosixPath(here).parent)}{link['anchor'] or ''})"

    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [LINK.sub(one, markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, LINK.sub(one, markdown[end:])])


def page_of(file: str) -> str | None:
    """Where a file or folder of the repository is on the site, by mkdocs' names; None: it is in the repository only.

    What does not exist is left for mkdocs to find.
    """
    path = ROOT / file
    if path.is_dir():
        path /= "README.md"
        if not path.exists():
            return None
    file = path.relative_to(ROOT).as_posix()
    if file.startswith("docs/"):
        return file.removeprefix("docs/")
    return FROM_BESIDE.get(file, None if path.exists() else file)
