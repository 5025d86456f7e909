"""No bytes whatever, under any name, make a check crash, or say that imgref itself has failed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from examples import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imgref.check.policy import Policy
from imgref.check.reports import FORMATS, report
from imgref.check.rules import codes_of
from imgref.check.runner import Checked, Options, Task, check
from imgref.sources.find import read
from imgref.sources.kinds import lines_of
from imgref.sources.recognition import Places

NAMES = [
    "Dockerfile",
    "compose.yaml",
    "kustomization.yaml",
    ".gitlab-ci.yml",
    ".github/workflows/x.yml",
    "action.yml",
    ".circleci/config.yml",
    "bitbucket-pipelines.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "chart/values.yaml",
    "chart/templates/x.yaml",
    "other.yaml",
    "daemon.json",
    "registries.conf",
    "notes.txt",
]
EVERY = Policy(enabled=codes_of(["ALL"]), golden=(), allowed=())

WORDS = st.sampled_from([
    "FROM", "COPY", "--from=", "RUN --mount=from=", "ONBUILD", "ARG X=", "# imgref: ignore[IMG101]", "# syntax=",
    "\\\n", "<<E\n", "\n", " ", "$X", "${X:-", "}", "nginx", ":latest", "image:", "services:", "  ", "- ", "a: ",
    "&a ", "*a ", "<<: *a\n", "| \n", "{{ .Values.x }}", "[", "]", "{", "}", '"', "'", "containers:\n", "---\n",
    "apiVersion: v1\nkind: Pod\n", "insecure-registries", '{"', "[[registry]]\n", "location = ", "insecure = true\n",
    "\ufeff", "\r\n", "\t", "\u2028", "# imgref: ignore-file[IMG1", "@sha256:", "%", "\x85",
])  # fmt: skip
TEXTS = st.lists(WORDS, max_size=40).map("".join).map(str.encode)


def checked(name: str, data: bytes) -> Checked:
    (result,) = check([Task(name, True, 0, data)], [EVERY], Options(keep=True), jobs=1)
    assert not any("a mistake in imgref" in finding.message for finding in result.findings), result.findings
    return result


@given(st.sampled_from(NAMES), st.one_of(st.binary(max_size=200), TEXTS))
@example("compose.yaml", b"a: &a [*a]")
@example("compose.yaml", b"[" * 10_000)
@example("other.yaml", b"a: &a {<<: *a, image: x}\nservices: *a\n")
@example("compose.yaml", b"\xff\xfe\x00\xd8")
@example("Dockerfile", b"\xef\xbb\xbf")
@settings(deadline=None)
def test_no_bytes_make_it_crash(name: str, data: bytes) -> None:
    result = checked(name, data)
    for style in FORMATS:
        text = report(style)(result.findings)
        if style in {"json", "gitlab", "sarif"}:
            json.loads(text)
        else:
            assert text.count("\n") == len(result.findings)


@given(st.sampled_from(NAMES), TEXTS)
@settings(deadline=None)
def test_every_position_is_in_the_file(name: str, data: bytes) -> None:
    result = checked(name, data)
    reading, text = read(Places().of(name), data, named=True)
    if reading is None:
        return
    lines = lines_of(reading.kind, text)
    for finding in result.findings:
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1
        assert finding.column < finding.end_column
    for occurrence in result.occurrences:
        first = lines[occurrence.line - 1][occurrence.column - 1 :]
        assert not occurrence.text or first.startswith(occurrence.text[:1])


@given(st.lists(st.binary(min_size=1, max_size=30).filter(lambda name: not {0, 47} & set(name)), max_size=4))
@settings(deadline=None, max_examples=examples(0.8))
def test_no_name_makes_it_crash(names: list[bytes]) -> None:
    from imgref.check.runner import list_tasks
    from imgref.sources.recognition import is_candidate
    from imgref.sources.walk import Listing

    with TemporaryDirectory() as root:
        for name in {name + b".Dockerfile" for name in names}:
            (Path(root) / os.fsdecode(name)).write_bytes(b"FROM nginx\n")
        listing = Listing(is_candidate, os.environ)
        tasks = list_tasks([root], lambda _: 0, [EVERY], listing).tasks
        found = [finding for result in check(tasks, [EVERY], Options()) for finding in result.findings]
        assert len(tasks) == len(set(names))
        assert [finding.code for finding in found].count("IMG101") == len(tasks)
        for style in FORMATS:
            report(style)(found).encode("utf-8", "surrogateescape")
