"""Edits of generated files: pin then unpin restores the bytes, only references change, and any bytes are survived."""

from __future__ import annotations

import contextlib

from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from update.fakes import FakeRegistry, result_of, source_of, spots_of
from update.test_moving import NOW

from imgref.sources.decoding import Unreadable
from imgref.update.moving import plan_update
from imgref.update.pinning import plan_pin, plan_unpin
from imgref.update.policy import Rule

NAMES = st.sampled_from(["nginx", "acme/app", "ghcr.io/a/b-c", "localhost:5000/x", "registry.local:5001/team/ui"])
TAGS = st.sampled_from(["1", "1.27", "1.27.3-alpine3.20", "latest", "v2", "7.2"])
REFS = st.builds("{}:{}".format, NAMES, TAGS)
BLANK = st.sampled_from([" ", "  ", "\t", " \\\n ", " \\\n # ü\n\n "])
END = st.sampled_from(["\n", "\r\n", " \n", "\n\n# ✓\n"])


@st.composite
def froms(draw: st.DrawFn) -> str:
    ref, quote = draw(REFS), draw(st.sampled_from(["", '"', "'"]))
    blank = draw(BLANK)
    kind = draw(st.integers(0, 3))
    if kind == 1:
        return f"RUN{blank}--mount=type=bind,from={ref},target=/x true"
    if kind == 2:
        return f"COPY{blank}--from={ref} /a /b"
    return f"FROM{blank}{quote}{ref}{quote}"


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    end = draw(END)
    head = draw(st.sampled_from(["", "# syntax=docker/dockerfile:1\n", "ARG BASE='a.b/c:1'\nFROM ${BASE}\n"]))
    body = draw(st.lists(froms(), max_size=6))
    return head + "FROM scratch" + end + end.join(body) + draw(st.sampled_from(["", "\n"]))


@st.composite
def scalars(draw: st.DrawFn) -> str:
    ref, quote = draw(REFS), draw(st.sampled_from(["", '"', "'"]))
    prefix = draw(st.sampled_from(["", "", "${IMAGE:-", "&x ", "!!str "]))
    if prefix.startswith("$"):
        return f"'{prefix}{ref}}}'"
    return f"{prefix}{quote}{ref}{quote}"


@st.composite
def compose_files(draw: st.DrawFn) -> str:
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines = ["# ü ✓", "services:"]
    for number, scalar in enumerate(draw(st.lists(scalars(), min_size=1, max_size=6))):
        comment = draw(st.sampled_from(["", "  # why", " "]))
        if draw(st.booleans()):
            lines.append(f"  s{number}: {{ports: ['1'], image: {scalar}}}{comment}")
        else:
            lines += [f"  s{number}:", f"    image:  {scalar}{comment}"]
    return end.join(lines) + draw(st.sampled_from(["", end]))


def there_and_back(path: str, data: bytes) -> None:
    plan = plan_pin(*spots_of(source_of(path, data)), FakeRegistry())
    pinned = result_of(plan, data)
    assert not plan_pin(*spots_of(source_of(path, pinned)), FakeRegistry(), refresh=True).files
    back = result_of(plan_unpin(*spots_of(source_of(path, pinned))), pinned)
    assert back == data
    # Nothing but the spans has changed.
    at = 0
    for edit in (edit for file in plan.files for edit in file.edits):
        assert edit.old in edit.new or not edit.old
        at += len(edit.new.encode()) - len(edit.old.encode())
    assert len(pinned) == len(data) + at


@given(dockerfiles())
def test_pin_then_unpin_of_any_dockerfile_restores_the_bytes(text: str) -> None:
    there_and_back("Dockerfile", text.encode())


@given(compose_files(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_pin_then_unpin_of_any_compose_file_restores_the_bytes(text: str, encoding: str) -> None:
    data = text.encode(encoding)
    plan = plan_pin(*spots_of(source_of("compose.yaml", data)), FakeRegistry())
    pinned = result_of(plan, data)
    assert result_of(plan_unpin(*spots_of(source_of("compose.yaml", pinned))), pinned) == data
    assert len(plan.changes) == sum("image" in line for line in text.splitlines())


PIECES = st.sampled_from([
    b"FROM ", b"nginx:1.27", b"ARG A=", b"${A}", b"$A", b"\n", b"\\\n", b'"', b"'", b"image: ", b"services:\n", b" ",
    b"{", b"}", b"\xff", b"\xef\xbb\xbf", b"\r", b"@sha256:" + 64 * b"a", b"<<E\n", b"- ", b"&a ", b"*a",
    b"# imgref: keep x\n",
    b"${T:-1.27.3}", b"a/b:", b"AS x", b"COPY --from=", b"\t", "ä".encode(), b"tag: ", b"digest: ", b"repository: r\n",
])  # fmt: skip


@settings(max_examples=examples(3))
@given(st.lists(PIECES, max_size=30).map(b"".join), st.sampled_from(["Dockerfile", "compose.yaml", "values.yaml"]))
def test_edits_of_any_bytes_never_fail_and_read_as_planned(data: bytes, path: str) -> None:
    with contextlib.suppress(Unreadable):
        found = spots_of(source_of(path, data))
        registry = FakeRegistry(("1.28.0",))
        plans = (
            plan_pin(*found, registry, helm_tag=True),
            plan_unpin(*found),
            plan_update(*found, registry, lambda _: Rule(), NOW),
        )
        for plan in plans:
            assert not plan.bugs
            for file in plan.files:
                spans = [(edit.start, edit.end) for edit in file.edits]
                assert spans == sorted(spans)
                assert file.result != data
