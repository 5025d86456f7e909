"""Trees of files for tests of ``imgref check``, and a way to run a command and look at all that it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from output_schemas import hold_to_schema

from imgref.cli.main import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:  # noqa: ANN401  what JSON gives
        return json.loads(self.out)

    def codes(self) -> list[str]:
        """The codes of findings in the format ``concise``, in their order."""
        return [line.split(": ", 1)[1].split(" ")[0] for line in self.out.splitlines()]


def write_tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    printed = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    hold_to_schema(arguments, printed.out)
    return Outcome(ended.value.code, printed.out, printed.err)
