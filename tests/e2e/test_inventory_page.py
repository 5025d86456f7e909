"""The HTML page of ``imgref images`` in a real browser: its script runs, it sorts and filters, and it fits a phone."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from isolation.environment import require
from vectors import imgref

pytestmark = pytest.mark.e2e

ZERO = "sha256:" + 64 * "0"
FILES = {
    "base/Dockerfile": "FROM debian:12\n",
    "web/Dockerfile": f"FROM golang:1.9\nFROM golang:1.10\nFROM acme/base:1\nCOPY --from=nginx:1@{ZERO} / /\n",
    "compose.yaml": "services: {base: {build: base, image: 'acme/base:1'}, web: {build: web, image: 'acme/web:2'}}",
    "x\"'><script>alert(1).Dockerfile": "FROM a:1\n",
}

PROBE = """
const names = () => [...document.querySelectorAll("#images tbody tr")].filter((row) => !row.hidden)
  .map((row) => row.cells[1].textContent);
const heads = [...document.querySelectorAll("#images th button")];
heads[1].click();
const up = names();
heads[1].click();
const down = names();
const field = document.getElementById("filter");
field.value = "golang web/";
field.dispatchEvent(new Event("input"));
const filtered = names();
document.querySelector("[data-node]").dispatchEvent(new Event("pointerenter"));
const result = {
  up, down, filtered, heads: heads.length, count: document.getElementById("count").textContent,
  sorted: heads[1].parentElement.getAttribute("aria-sort"), dimmed: document.querySelectorAll(".dim").length,
  nodes: document.querySelectorAll("[data-node]").length, wide: document.documentElement.scrollWidth - innerWidth,
  requests: performance.getEntriesByType("resource").length,
};
document.title = "RESULT" + JSON.stringify(result);
"""


def dumped(page: Path, directory: Path, width: int) -> str:
    """Return the page as the browser has it after its scripts have run."""
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
    return subprocess.run(
        [require("chromium"), *options, f"--user-data-dir={directory}", f"--window-size={width},900", "--dump-dom",
         page.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip


@pytest.fixture
def page(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="utf-8")
    done = imgref("images", "--format", "html", cwd=tree)
    assert done.exit == 0, done.stderr
    (tmp_path / "page.html").write_text(done.stdout, encoding="utf-8")
    return tmp_path / "page.html"


def test_the_script_of_the_page_is_allowed_to_run(page: Path, tmp_path: Path) -> None:
    text = dumped(page, tmp_path / "profile", 1280)
    assert '<th scope="col" role="columnheader"><button type="button">' in text
    assert '<div class="tools" id="tools">' in text, "without its script, the page has no filter"


@pytest.mark.parametrize("width", [1280, 500])
def test_the_page_sorts_filters_and_fits(page: Path, tmp_path: Path, width: int) -> None:
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    page.write_text(text.replace("</body>", f"<script>{{{PROBE}}}</script></body>"), encoding="utf-8")
    title = re.search(r"<title>RESULT(.*?)</title>", dumped(page, tmp_path / "profile", width))
    assert title is not None
    found = json.loads(title[1].replace("&quot;", '"').replace("&amp;", "&"))
    assert found["up"].index("1.9") < found["up"].index("1.10"), "versions are compared by their numbers"
    assert found["down"] == found["up"][::-1] or sorted(found["down"]) == sorted(found["up"])
    assert found["sorted"] == "descending"
    assert sorted(found["filtered"]) == ["1.10", "1.9"]
    assert found["count"] == "2 of 7"
    assert found["dimmed"] > 0
    assert found["heads"] == 5
    assert found["wide"] <= 0, "nothing is wider than the window"
    assert found["requests"] == 0
