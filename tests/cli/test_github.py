"""What is written for GitHub Actions and other tools: no value, of whatever kind, can break out of its place."""

from __future__ import annotations

import csv
import json
import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import click
import pytest
from cli.tags.test_formats import github_outputs
from hypothesis import given
from hypothesis import strategies as st
from tables import each
from vectors import clean_environ, imgref

from imgref import HeldTag, TagPlan
from imgref.cli._github import tell_held_in_actions, write_github
from imgref.cli.tags._formats import Printed, write_plan
from imgref.cli.tags._labels import Metadata
from imgref.reference import parse

PLAN = TagPlan("1.0.0", "semver", False, ("1.0.0", "latest"))
IMAGES = (parse("ghcr.io/acme/app", default_tag=None),)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
NASTY = [
    "\n", "\r\n", '"', "'", ",", '","', "::set-output name=x::y", "%0A", "`", "$(id)", "${TOKEN}", "%{if x}", "EOF",
    "<<", "=", "#", " ", "\\", "\u2028", "|", "imgref_", "key=value", "--push", "*", "é", "中",
]  # fmt: skip
values = st.lists(st.sampled_from(NASTY) | st.text(max_size=5), max_size=6).map("".join)
keys = st.sampled_from(["org.opencontainers.image.title", "a", "com.acme/x"])


def list_of(text: str) -> list[str]:
    """Read a list as Docker's actions do: CSV, whose fields are joined again, without white space around it."""
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    return [",".join(row).strip() for row in rows if row]


@given(st.dictionaries(keys, values, min_size=1))
def test_github_outputs_of_any_labels_read_back(labels: dict[str, str]) -> None:
    printed = Printed(PLAN, IMAGES, Metadata(labels, labels))
    with TemporaryDirectory() as folder:
        path = Path(folder, "output")
        environ = {"GITHUB_OUTPUT": str(path), "RUNNER_TEMP": folder}
        with mock.patch.dict("os.environ", environ), redirect_stderr(StringIO()):
            write_github(printed, "imgref")
        outputs = github_outputs(path.read_bytes().decode().replace("\r", "\0"))
        bake = json.loads(Path(outputs["bake-file"]).read_text(encoding="utf-8"))
    assert list(outputs) == ["version", "tags", "labels", "annotations", "json", "bake-file"]
    kept = [f"{key}={value}" for key, value in labels.items() if not CONTROL.search(value)]
    assert list_of(outputs["labels"]) == [pair.strip() for pair in kept]
    assert list_of(outputs["annotations"]) == [f"manifest:{pair}".strip() for pair in kept]
    assert json.loads(outputs["json"])["labels"] == labels
    escaped = {key: value.replace("${", "$${").replace("%{", "%%{") for key, value in labels.items()}
    assert bake["target"]["imgref"]["labels"] == escaped


@given(st.dictionaries(keys, values, min_size=1), st.booleans())
def test_arguments_and_variables_of_any_labels_are_what_a_shell_reads(labels: dict[str, str], typed: bool) -> None:
    printed = Printed(PLAN, IMAGES, Metadata(labels, labels, frozenset(labels) if typed else frozenset()))
    for style in ("args", "dotenv"):
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()):
            try:
                write_plan(printed, style, "imgref")
            except click.UsageError:
                assert typed
                assert out.getvalue() == ""
                continue
        lines = out.getvalue().splitlines()
        words = lines[-1].removeprefix("IMGREF_ARGS=").split(" ")
        assert words == shlex.split(" ".join(words))
        assert not set("".join(words)) & set("*?[]$`\"'\\;&|<>(){}!#~")
        assert {*words[::2]} <= {"-t", "--label", "--annotation"}
        assert all(word.partition("=")[0] in labels for word in words[5::2])
        assert [line.partition("=")[0] for line in lines[:-1]] == (
            [] if style == "args" else ["IMGREF_VERSION", "IMGREF_TAGS", "IMGREF_REFERENCES"]
        )


@given(st.lists(values, min_size=1, max_size=3))
def test_notices_and_summary_of_any_names_are_one_line_each(names: list[str]) -> None:
    held = [HeldTag("latest", name) for name in names]
    with TemporaryDirectory() as folder:
        path = Path(folder, "summary")
        environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(path)}
        with mock.patch.dict("os.environ", environ), redirect_stderr(StringIO()) as err:
            tell_held_in_actions(held)
        summary = path.read_bytes().decode()
    lines = err.getvalue().split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(held)
    assert all(line.startswith("::notice title=imgref::latest is not moved: ") for line in lines)
    rows = summary.split("\n")[3:-2]
    assert len(rows) == len(held)
    assert all(re.fullmatch(r"\| `latest` \| `[^`|\\]*` \|", row) for row in rows)


def test_held_tags_outside_of_actions_are_reported_once(tmp_path: Path) -> None:
    arguments = ("tags", "1.0.0", "--existing", "-")
    summary = tmp_path / "summary"
    done = imgref(*arguments, stdin="2.0.0\n", environ=clean_environ(GITHUB_STEP_SUMMARY=str(summary)))
    assert done.stderr == "existing: standard input, 1 version\nheld: latest (2.0.0 is newer)\n"
    assert not summary.exists()
    environ = clean_environ(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    done = imgref(*arguments, stdin="2.0.0\n", environ=environ)
    assert done.stderr.splitlines()[2:] == ["::notice title=imgref::latest is not moved: 2.0.0 is newer"]
    assert "| `latest` | `2.0.0` |" in summary.read_text(encoding="utf-8")


def test_summary_that_cannot_be_written_does_not_stop_the_job(tmp_path: Path) -> None:
    environ = clean_environ(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(tmp_path))
    done = imgref("tags", "1.0.0", "--existing", "-", stdin="2.0.0\n", environ=environ)
    assert (done.stdout, done.exit) == ("1.0.0\n1.0\n1\n", 0)
    assert f"warning: the job summary cannot be written: {tmp_path}: Is a directory" in done.stderr


LABELS = ("tags", "--pr", "42", "--image", "acme/app", "--format")


@each("option", ["--label", "--annotation"])
@each("value", ["x", "=x", "a b=c", "a\n=c", '"a"=c', ":a=b", "index: a=b"])
def test_label_without_a_key_is_a_usage_error(option: str, value: str) -> None:
    done = imgref(*LABELS, "args", option, value)
    assert (done.stdout, done.exit) == ("", 2)
    assert f"error: {option}: " in done.stderr


def test_typed_labels_add_and_override() -> None:
    title = "org.opencontainers.image.title"
    arguments = ("--label", f"{title}=x", "--label", "team=core=1", "--annotation", f"index:{title}=y")
    done = json.loads(imgref(*LABELS, "json", "--source", "https://host/acme/app", *arguments).stdout)
    assert (done["labels"][title], done["labels"]["team"], done["annotations"][title]) == ("x", "core=1", "app")
    assert done["annotations"][f"index:{title}"] == "y"


@pytest.mark.parametrize("style", ["args", "dotenv"])
def test_typed_label_that_needs_quotes_is_a_usage_error(style: str) -> None:
    done = imgref(*LABELS, style, "--label", "a=b c")
    assert (done.stdout, done.exit) == ("", 2)
    assert "'a=b c' would need quotes" in done.stderr


def test_typed_label_with_a_line_break_is_only_for_formats_that_escape_it(tmp_path: Path) -> None:
    environ = clean_environ(GITHUB_OUTPUT=str(tmp_path / "output"))
    done = imgref(*LABELS, "github", "--label", "a=b\nc", environ=environ)
    assert (done.stdout, done.exit) == ("", 2)
    assert not (tmp_path / "output").exists()
    assert json.loads(imgref(*LABELS, "json", "--label", "a=b\nc").stdout)["labels"]["a"] == "b\nc"


def test_labels_of_the_settings_apply_unless_an_option_overrides_them(tmp_path: Path) -> None:
    (tmp_path / ".imgref.toml").write_text(
        '[tags.labels]\nvendor = "Acme"\nteam = "a"\n\n[tags.annotations]\nx = "y"\n'
    )
    done = json.loads(imgref(*LABELS, "json", "--label", "team=b", cwd=tmp_path).stdout)
    assert (done["labels"]["vendor"], done["labels"]["team"], done["annotations"]["x"]) == ("Acme", "b", "y")
    (tmp_path / ".imgref.toml").write_text("[tags.labels]\nvendor = 1\n")
    failed = imgref(*LABELS, "json", cwd=tmp_path)
    assert (failed.stdout, failed.exit) == ("", 2)


def test_version_alone_has_labels_only_where_they_are_asked_for() -> None:
    plain = imgref("tags", "1.0.0", "--format", "json").stdout
    assert "labels" not in json.loads(plain)
    done = json.loads(imgref("tags", "1.0.0", "--format", "json", "--label", "a=b").stdout)
    assert done["labels"]["org.opencontainers.image.version"] == "1.0.0"


def test_repository_in_the_event_file_has_labels(tmp_path: Path) -> None:
    repository = {"name": "App", "description": "a b", "html_url": "https://github.com/acme/app"}
    for licence, expected in (({"spdx_id": "MIT"}, "MIT"), ({"spdx_id": "NOASSERTION"}, None), (None, None)):
        (tmp_path / "event.json").write_text(json.dumps({"repository": {**repository, "license": licence}}))
        environ = clean_environ(
            GITHUB_ACTIONS="true",
            GITHUB_EVENT_NAME="push",
            GITHUB_REF="refs/heads/main",
            GITHUB_EVENT_PATH="event.json",
        )
        done = imgref("tags", "--ci", "--labels", "--format", "json", cwd=tmp_path, environ=environ)
        labels = {
            key.removeprefix("org.opencontainers.image."): value for key, value in json.loads(done.stdout).items()
        }
        assert (labels["title"], labels["description"], labels["url"]) == ("App", "a b", repository["html_url"])
        assert labels.get("licenses") == expected
