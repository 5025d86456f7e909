"""``imgref outdated``: what could not be found out is never counted as up to date."""

from __future__ import annotations

from pathlib import Path

from e2e.images import put_image
from faults import status
from registry.kit import ALWAYS
from registry.server import run_server
from vectors import imgref


def test_outdated_counts_images_that_could_not_be_asked_for_as_unknown(tmp_path: Path) -> None:
    with run_server() as server:
        put_image(server, "app", "1.0.0", text="1")
        server.add(status(403), "", "/v2/closed/", ALWAYS)
        names = ("app:1.0.0", "closed:1.0.0", "missing:1.0.0")
        (tmp_path / "Dockerfile").write_text("".join(f"FROM {server.host}/{name}\n" for name in names))
        done = imgref("outdated", str(tmp_path))
    assert done.exit == 3
    assert done.stderr.splitlines()[-1] == "no images are outdated, 2 unknown or held"
