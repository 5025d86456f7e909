"""What the site adds to docs/: the pages that are kept at the top of the repository, and links between both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

TOP = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages at the top of the repository."""
    root = Path(config.config_file_path).parent
    for name, page in TOP.items():
        files.append(File.generated(config, page, content=linked(root.joinpath(name).read_text(encoding="utf-8"))))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Point the links of a page in docs/ to the top pages of the site."""
    return re.sub(r"\]\(\.\./(\w+\.md)", lambda link: f"]({TOP[link[1]]}", markdown)


def linked(text: str) -> str:
    """Return a page of the top with its links as they must be in docs/.

    >>> linked("[a](docs/tags.md), [b](SECURITY.md#scope)")
    '[a](tags.md), [b](security.md#scope)'
    """
    text = text.replace("](docs/", "](")
    return re.sub(r"\]\((\w+\.md)", lambda link: f"]({TOP.get(link[1], link[1])}", text)
