"""The pages of the reference list what the code has: environment variables, exit codes, and JSON outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from docs.checker import variables
from docs.commands import ROOT

import imgref.cli
from imgref.cli.copy._list import read_pairs

DOCS = ROOT / "docs"
SCHEMAS = sorted(set((ROOT / "imgref" / "schemas").glob("*.json")) - {ROOT / "imgref" / "schemas" / "settings.json"})


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_environment_page_lists_every_variable_of_imgref() -> None:
    own = {name for name in variables() if re.fullmatch(r"IMGREF_[A-Z_]+", name)}
    assert len(own) >= 8
    assert own <= set(re.findall(r"`(IMGREF_[A-Z_]+)`", page("environment.md")))


def test_exit_code_pages_list_the_same_codes() -> None:
    codes = [value for name, value in vars(imgref.cli).items() if name.startswith("EXIT_")]
    for name in ("docs/exit-codes.md", "README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        listed = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
        assert listed == {0, 1, 2, 3, 4, 130}
        assert {int(code) for code in codes} <= listed


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_json_page_lists_the_schema_with_its_command_and_shape(path: Path) -> None:
    row = re.search(rf"^\| `{path.stem}` \| (.*) \| (.*) \|$", page("json.md"), re.MULTILINE)
    assert row
    schema = json.loads(path.read_text(encoding="utf-8"))
    commands = re.split(", | and ", schema["title"].removesuffix(" --format json").removeprefix("imgref "))
    assert re.findall(r"`imgref ([^`]*)`", row[1]) == [command.removeprefix("imgref ") for command in commands]
    shape = "one object per line" if schema["description"].startswith("One line") else schema.get("type", "array; with")
    assert row[2].startswith(shape)


def test_list_on_the_mirror_page_has_the_targets_in_its_comments(tmp_path: Path) -> None:
    text = re.search(r"^```text\n(.*?)^```$", page("mirror.md"), re.DOTALL | re.MULTILINE)
    assert text
    (tmp_path / "images.txt").write_text(text[1], encoding="utf-8")
    pairs = read_pairs(str(tmp_path / "images.txt"), "registry.local:5001/mirror", ranged=False)
    assert [str(pair.target) for pair in pairs] == [
        "registry.local:5001/mirror/library/nginx:1.27.3",
        "registry.local:5001/mirror/acme/app:1",
        "registry.local:5001/db:2",
    ]
