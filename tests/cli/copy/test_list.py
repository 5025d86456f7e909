"""The list of ``imgref copy --from-file``: bad bytes in it are explained, wherever it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from vectors import imgref

BYTES = b"nginx:1.27\nng\xffinx\n"


@pytest.mark.parametrize("source", ["list.txt", "-"])
def test_list_with_a_byte_that_is_not_utf8_is_an_error_with_its_line(source: str, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(BYTES)
    done = imgref("copy", "--from-file", source, "--to", "localhost:1", stdin=BYTES, cwd=tmp_path)
    assert (done.exit, done.stdout) == (2, "")
    assert done.stderr.startswith("error: line 2: the byte 0xFF is not UTF-8\n")
