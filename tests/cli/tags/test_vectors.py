"""The measured tag scenarios through the command, where what exists comes on standard input."""

from __future__ import annotations

from typing import Any

from tables import each
from vectors import imgref, rows


@each("row", rows("tags.jsonl"), ids=lambda row: f"{row['version']} {row['args']}")
def test_scenario(row: dict[str, Any]) -> None:
    existing = ["--existing", "-"] if row["existing"] else []
    done = imgref("tags", *existing, *row["args"], "--", row["version"], stdin="\n".join(row["existing"]))
    if row.get("error"):
        assert (done.stdout, done.exit) == ("", 2)
        assert done.stderr.startswith("error: ")
    else:
        assert done.stdout.split() == row["tags"]
        assert done.exit == (0 if row["tags"] else 1)
