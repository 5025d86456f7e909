"""The command ``imgref images``: its formats, and what it reports beside them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from vectors import ROOT, imgref

FILES = {
    "base/Dockerfile": "ARG VERSION\nFROM debian:${VERSION}\n",
    "web/Dockerfile": "FROM golang:1.23 AS build\nFROM acme/base:1\nCOPY --from=build /app /app\n",
    "compose.yaml": (
        "services:\n  base: {build: {context: base, args: {VERSION: '12'}}, image: acme/base:1}\n"
        "  web: {build: web, image: acme/web:2}\n"
    ),
}


def written(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def test_the_example_of_the_page_is_what_happens(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
    base, web, compose, expected = re.findall(r"^```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[:4]
    written(tmp_path, {"base/Dockerfile": base, "web/Dockerfile": web, "compose.yaml": compose})
    assert imgref("images", "--of", "debian", cwd=tmp_path).stdout == expected


def test_json_has_images_builds_and_both_directions(tmp_path: Path) -> None:
    done = imgref("images", "--of", "acme/base", "--format", "json", cwd=written(tmp_path, FILES))
    found = json.loads(done.stdout)
    assert done.exit == 0
    assert found["of"] == {
        "images": ["docker.io/acme/base:1"],
        "made_by": ["compose.yaml: base"],
        "built_on_it": ["web/Dockerfile"],
        "built_with_it": [],
    }
    assert [(build["id"], build["base"]["name"], build["images"]) for build in found["builds"]] == [
        ("web/Dockerfile", "docker.io/acme/base:1", ["docker.io/acme/web:2"]),
        ("compose.yaml: base", "docker.io/library/debian:12", ["docker.io/acme/base:1"]),
    ]
    (debian,) = (image for image in found["images"] if image["repository"] == "docker.io/library/debian")
    (use,) = debian["references"][0]["uses"]
    assert (use["path"], use["line"], use["text"], use["build"]) == (
        "base/Dockerfile",
        2,
        "debian:${VERSION}",
        "compose.yaml: base",
    )


def test_an_argument_of_the_command_line_counts_for_every_build(tmp_path: Path) -> None:
    done = imgref("images", "--format", "lines", "--build-arg", "VERSION=13", cwd=written(tmp_path, FILES))
    assert "docker.io/library/debian:13\n" in done.stdout
    assert "debian:12" not in done.stdout


def test_files_that_cannot_be_read_are_reported_everywhere(tmp_path: Path) -> None:
    written(tmp_path, FILES)
    (tmp_path / "z.Dockerfile").write_bytes(b"FROM a\0b\n" + b"\xff" * 20)
    (tmp_path / "y.Dockerfile").symlink_to("nowhere")
    done = imgref("images", "--format", "json", cwd=tmp_path)
    unread = {gap["path"]: gap["level"] for gap in json.loads(done.stdout)["unread"]}
    assert unread == {"y.Dockerfile": "error", "z.Dockerfile": "error"}
    assert done.exit == 2
    assert len(re.findall(r"^error: [yz]\.Dockerfile.*: ", done.stderr, re.MULTILINE)) == 2


def test_what_check_only_warns_about_does_not_fail(tmp_path: Path) -> None:
    written(tmp_path, {"Dockerfile": "FROM a:1\n"})
    (tmp_path / "out").symlink_to("/usr/share")
    done = imgref("images", "--format", "json", cwd=tmp_path)
    assert done.exit == 0
    assert [(gap["path"], gap["level"]) for gap in json.loads(done.stdout)["unread"]] == [("out", "warning")]
    assert "warning: out: not read: " in done.stderr


def test_files_that_were_not_understood_are_counted_and_listed(tmp_path: Path) -> None:
    files = {
        "a.sh": "\ndocker run redis\n",
        "b.yaml": "thing:\n  image: nginx\n",
        "vendor/c.sh": "docker pull redis\n",
        ".imgref.toml": '[check]\nexclude = ["vendor/**", "vendor/c.sh"]\n',
        "Dockerfile": "FROM alpine:3.21\n",
    }
    done = imgref("images", "--format", "json", cwd=written(tmp_path, files))
    assert done.exit == 0
    gaps = [(gap["path"], gap["line"], gap["level"]) for gap in json.loads(done.stdout)["unread"]]
    assert gaps == [("b.yaml", 2, "warning"), ("a.sh", 2, "warning")]
    told = "2 files that may use images were not understood; imgref check --show-skipped lists them"
    assert [line for line in done.stderr.splitlines() if "warning" in line] == [f"warning: {told}"]


def test_settings_exclude_files_and_name_kinds(tmp_path: Path) -> None:
    settings = '[check]\nexclude = ["old"]\n[check.files]\n"*.txt" = "dockerfile"\n'
    files = {".imgref.toml": settings, "old/Dockerfile": "FROM a:1\n", "x.txt": "FROM b:1\n"}
    assert imgref("images", "--format", "lines", cwd=written(tmp_path, files)).stdout == "docker.io/library/b:1\n"


def test_standard_input_is_read(tmp_path: Path) -> None:
    done = imgref(
        "images", "--format", "lines", "--stdin-filename", "Dockerfile", "-", stdin="FROM a:1\n", cwd=tmp_path
    )
    assert (done.stdout, done.exit) == ("docker.io/library/a:1\n", 0)


def test_credentials_are_masked(tmp_path: Path) -> None:
    written(tmp_path, {"Dockerfile": "FROM https://user:secret@host/a:1\n"})
    for style in ("table", "json", "lines"):
        done = imgref("images", "--format", style, cwd=tmp_path)
        assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["--of", ""], ["missing"], ["--format", "toml"]])
def test_bad_input_exits_with_2_and_prints_nothing(arguments: list[str], tmp_path: Path) -> None:
    done = imgref("images", *arguments, cwd=tmp_path)
    assert (done.stdout, done.exit) == ("", 2)
