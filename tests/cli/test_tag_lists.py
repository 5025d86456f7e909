"""Lists of tags on standard input and in files: every format that is read, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each
from vectors import imgref

from imgref.cli._tag_lists import TagListError, read_tag_list
from imgref.reference import parse
from imgref.tags import ExistingTags, TagPolicy

IMAGE = parse("ghcr.io/acme/app", default_tag=None)
HASH = "a8f5f167f44f4964e6c998dee827110c0f5e2b61"
DIGEST = "sha256:" + "0" * 64


def read(data: str | bytes, *, prefix: str = "", suffix: str = "", scheme: str = "semver") -> list[ExistingTags]:
    policy = TagPolicy(prefix=prefix, suffix=suffix, scheme=scheme)  # type: ignore[arg-type]
    return read_tag_list(data if isinstance(data, bytes) else data.encode(), "-", images=[IMAGE], policy=policy)


def names(data: str | bytes) -> list[str]:
    return [name for source in read(data) for name in source.names]


@each(
    ("data", "expected"),
    [
        ("2.0.0\n1.9.0\nlatest\n", ["2.0.0", "1.9.0", "latest"]),
        ("\ufeff2.0.0\r\n\r\n1.9.0\r\n", ["2.0.0", "1.9.0"]),
        ("latest\nedge\nbookworm\n", ["latest", "edge", "bookworm"]),
        ("latest", ["latest"]), ("main\n", ["main"]), ("2.0.0", ["2.0.0"]), ("v2.1", ["v2.1"]),
        ("2.0.0,1.9.0,latest", ["2.0.0", "1.9.0", "latest"]), ("2.0.0, 1.9.0,\n 1.8.0,", ["2.0.0", "1.9.0", "1.8.0"]),
        ("2.0.0 main\tsha-0a1b2c3 pr-12 20240115 rc", ["2.0.0", "main", "sha-0a1b2c3", "pr-12", "20240115", "rc"]),
        ("2.0.0-alpine 2-alpine alpine", ["2.0.0-alpine", "2-alpine", "alpine"]),
        ("1.2.3+b1 1.2.3_b2", ["1.2.3+b1", "1.2.3_b2"]),
        ("app/v2.0.0\nlib@9.0.0\n@acme/app@1.0.0\n", ["app/v2.0.0", "lib@9.0.0", "@acme/app@1.0.0"]),
        ("refs/tags/v2.0.0\nrefs/tags/v1.9.0^{}\n", ["v2.0.0", "v1.9.0"]),
        ("refs/tags/v2.0.0 refs/tags/x", ["v2.0.0", "x"]),
        (f"{HASH}\trefs/tags/v2.0.0\n{HASH}\trefs/tags/v2.0.0^{{}}\n", ["v2.0.0"]),
        (f"{HASH}\tHEAD\n{HASH}\trefs/heads/main\n{HASH}\trefs/tags/a/b-é\n", ["a/b-é"]),
        (f"{HASH}{'0' * 24}\trefs/tags/v2.0.0", ["v2.0.0"]),
        (f"{HASH} refs/tags/v2.0.0", ["v2.0.0"]), (f"{HASH} commit\trefs/tags/v2.0.0", ["v2.0.0"]),
        ("ghcr.io/acme/app:2.0.0\nghcr.io/acme/app:latest", ["2.0.0", "latest"]),
        (f"ghcr.io/acme/app:2.0.0@{DIGEST}", ["2.0.0"]),
        ("ghcr.io/acme/app:2.0.0,ghcr.io/acme/app:main", ["2.0.0", "main"]),
        ('{"name":"acme/app","tags":["2.0.0","main"]}', ["2.0.0", "main"]), ('{"tags":["2.0.0"]}', ["2.0.0"]),
        ('\n {"name": "docker-local/acme/app", "tags": ["2.0.0"]}\n', ["2.0.0"]),
        ('{"child":[],"manifest":{},"name":"acme/app","tags":["2.0.0"]}', ["2.0.0"]),
        ('{"Repository": "ghcr.io/acme/app", "Tags": ["2.0.0"]}', ["2.0.0"]),
        ('["2.0.0", "main"]', ["2.0.0", "main"]),
        ('[{"tag":"2.0.0","reference":"ghcr.io/acme/app:2.0.0","version":"2.0.0","prerelease":false}]', ["2.0.0"]),
        ('[{"tag":"2.0.0","reference":"ghcr.io/acme/app:2.0.0","aliases":["1.9.9","2"]}]', ["2.0.0", "1.9.9", "2"]),
    ],
)  # fmt: skip
def test_read_tag_list_known_format_returns_the_names(data: str, expected: list[str]) -> None:
    assert names(data) == expected


@each(
    ("data", "reason"),
    [
        ("unauthorized\n", "'unauthorized'"), ("null", "'null'"), ("unauthorized\nunauthorized", "'unauthorized'"),
        ("404", "'404'"), ("error-404", "'error-404'"),
        ("error: unauthorized", "line 1: 'error:'"), ("fatal: could not read from remote", "'fatal:'"),
        ("Error response from daemon", "'Error'"), ("404 page not found", "'page'"), ("git version 2.39.5", "'git'"),
        ("2.0.0\n1.9.0\nError, timed out\n", "line 3: 'Error'"), ("latest main edge", "none of the tags is a version"),
        ("Error, unauthorized", "'Error'"), ("HTTP/1.1 404", "'HTTP/1.1'"), ("HTTP/2 503 1.2.3", "'HTTP/2'"),
        ("latest 404", "none of the tags"), ("2.0.0 bookworm", "'bookworm'"),
        ("2.0.0\n<html>\n", "line 2: '<html>'"), ("* main", "'*'"), ("- 2.0.0", "'-'"),
        ('"2.0.0","1.9.0"', "'\"2.0.0\"'"),
        ("2.0.0\n\u00a01.9.0", "line 2"), ("# tags\n2.0.0", "'#'"), ("версия", "'версия'"), ("a/b", "'a/b'"),
        ("1!2.0", "'1!2.0'"), ("-t ghcr.io/acme/app:2.0.0", "'-t'"), ("x" * 129, "not a valid tag"),
        ("ghcr.io/acme/other:2.0.0", "another repository"), ("app:2.0.0", "another repository"),
        ("2.0.0\nerror:unauthorized", "line 2: 'error:unauthorized'"), ("ghcr.io/acme/app", "not a valid tag"),
        (f"ghcr.io/acme/app@{DIGEST}", "without a tag"), ("https://ghcr.io/v2/", "not a valid tag"),
        ("From https://example.com/app\n" + f"{HASH}\trefs/tags/v2.0.0", "line 1: 'https://example.com/app'"),
        (f"{HASH}\trefs/tags/v2.0.0\nfatal: hung up", "line 2"), (f"{HASH}\trefs/tags/..", "not the name of a git tag"),
        (f"{HASH}\trefs/tags/v2.0.0 more", "'more'"), ("refs/heads/main", "'refs/heads/main'"),
        ("refs/tags/", "git tag"),
        ('{"errors":[{"code":"UNAUTHORIZED"}]}', "'errors'"), ('{"message":"maintenance"}', "'message'"),
        ("{}", "none"),
        ('{"tags":["2.0.0"],"errors":[]}', "'errors'"), ('{"tags":"2.0.0"}', "not a list"),
        ('{"tags":{}}', "not a list"),
        ('{"tags":[1]}', "1 in the JSON"), ('{"tags":["a b"]}', "'a b'"), ('{"tags":[null]}', "None"),
        ('{"tags":["2.0.0"],"tags":[]}', "occurs twice"), ('{"name":1,"tags":["2.0.0"]}', "not a string"),
        ('{"name":"acme/other","tags":["2.0.0"]}', "'acme/other'"),
        ('{"tags":["2.0.0"]}\n{"tags":["1.0.0"]}', "line 2"),
        ('{"name":"acme/app",\n"tags":["2.0.0"', "line 2"), ('[["2.0.0"]]', "['2.0.0']"), ("[" * 100_000, "JSON"),
        ('{"tags":[' + "1" * 5000 + "]}", "too long"), ('[{"name":"2.0.0"}]', "imgref ls"),
        ('[{"tag":"2.0.0","reference":"ghcr.io/acme/app:2.0.0","aliases":["a b"]}]', "not a valid tag"),
        ('[{"tag":"2.0.0","reference":"ghcr.io/acme/other:2.0.0"}]', "another repository"),
        ('[{"tag":"2.0.0","reference":"A B"}]', "JSON"), ('[{"tag":"2.0.0","reference":"x:1"},"y"]', "not a valid tag"),
        ("2.0.0\n1.9.0\0", "line 2: it has a NUL byte"), ("2.0.0\n".encode("utf-16"), "0xff"),
        ("2.0.0\n".encode("utf-16-le"), "NUL byte"), ("2.0.0\n".encode("utf-32"), "0xff"), (b"2.0.0\n\xe9\n", "line 2"),
    ],
)  # fmt: skip
def test_read_tag_list_anything_else_is_refused(data: str | bytes, reason: str) -> None:
    with pytest.raises(TagListError) as caught:
        read(data)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("standard input")
    assert "accepted are one tag per line" in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [b"", b" \r\n\t\n", "\ufeff".encode(), b"[]", b'{"tags":null}', b'{"tags":[]}', f"{HASH}\tHEAD".encode(), b","],
)
def test_read_tag_list_without_tags_is_refused_unless_allowed(data: bytes) -> None:
    with pytest.raises(TagListError, match="--allow-empty"):
        read(data)
    sources = read_tag_list(data, "x", images=[], policy=TagPolicy(), allow_empty=True)
    assert sources == [ExistingTags((), "x")]


def test_read_tag_list_allow_empty_accepts_no_message() -> None:
    with pytest.raises(TagListError):
        read_tag_list(b"unauthorized", "x", images=[], policy=TagPolicy(), allow_empty=True)


@pytest.mark.parametrize(
    ("data", "prefix", "kind"),
    [
        ("app-2.0.0", "app-", "list"), ("refs/tags/app-2.0.0", "app-", "git"), (f"{HASH}\trefs/tags/x", "app-", "git"),
        ("ghcr.io/acme/app:2.0.0", "app-", "registry"), ('{"tags":["2.0.0"]}', "app-", "registry"),
        ('{"tags":["app-2.0.0"]}', "app-", "list"), ('["2.0.0"]', "app-", "list"),
    ],
)  # fmt: skip
def test_read_tag_list_format_names_the_source(data: str, prefix: str, kind: str) -> None:
    assert [source.kind for source in read(data, prefix=prefix)] == [kind]


def test_read_tag_list_reference_in_another_spelling_is_read() -> None:
    image = parse("redis", default_tag=None)
    data = b"redis:2.0.0 library/redis:1.0.0\nindex.docker.io/library/redis:latest"
    (source,) = read_tag_list(data, "x", images=[IMAGE, image], policy=TagPolicy())
    assert source == (("2.0.0", "1.0.0", "latest"), "x", "list")


def test_read_tag_list_single_word_is_read_if_it_can_be_a_tag_of_the_release() -> None:
    assert read("alpine", suffix="alpine")
    assert read("42", scheme="numeric")
    assert read("app/next", prefix="app/")


words = st.text(st.characters(codec="ascii", categories=["Ll", "Lu"]), min_size=1, max_size=9).filter(
    lambda word: word not in ("latest", "edge", "nightly", "main", "master", "stable", "alpha", "beta", "rc", "dev")
)
sentences = st.lists(words | st.from_regex(r"[0-9]{1,3}(\.[0-9]){0,2}", fullmatch=True), min_size=1, max_size=8).filter(
    lambda sentence: any(word.isalpha() for word in sentence)
)


@given(
    st.lists(st.sampled_from(["2.0.0", "v1.9.0", "main"]), max_size=3), sentences, st.sampled_from(["", ".", ":", "!"])
)
def test_read_tag_list_a_sentence_among_tags_is_refused(tags: list[str], sentence: list[str], end: str) -> None:
    lines = [*tags, " ".join(sentence) + end]
    if len(sentence) > 1 or not tags:
        with pytest.raises(TagListError):
            read("\n".join(lines))


@given(st.lists(st.from_regex(r"v?[0-9]\.[0-9]\.[0-9](-rc\.1|-alpine)?", fullmatch=True), min_size=1), st.data())
def test_read_tag_list_any_separators_return_the_same_names(tags: list[str], data: st.DataObject) -> None:
    separators = st.sampled_from([",", ", ", " ", "\n", "\r\n", "\t", ",\n", "\n\n"])
    text = "".join(tag + data.draw(separators) for tag in tags)
    assert names(text) == names(json.dumps(tags)) == list(dict.fromkeys(tags))


@given(st.binary(max_size=60) | st.text('{}[]":,./@ \n\t^refs1.v', max_size=60).map(str.encode))
def test_read_tag_list_any_bytes_are_a_list_or_refused(data: bytes) -> None:
    try:
        sources = read(data)
    except TagListError:
        return
    assert all(name for source in sources for name in source.names)


@pytest.mark.parametrize("stdin", ["", None, "\n \n"])
def test_tags_empty_standard_input_is_refused(stdin: str | None, tmp_path: Path) -> None:
    done = imgref("tags", "1.9.1", "--existing", "-", stdin=stdin, cwd=tmp_path)
    assert (done.stdout, done.exit) == ("", 2)
    assert "--allow-empty" in done.stderr
    done = imgref("tags", "1.9.1", "--existing", "-", "--allow-empty", stdin=stdin, cwd=tmp_path)
    assert (done.stdout, done.exit) == ("1.9.1\n1.9\n1\nlatest\n", 0)


def test_tags_standard_input_named_twice_is_read_once() -> None:
    done = imgref("tags", "1.9.1", "--existing", "-", "--existing", "-", stdin="2.0.0\n")
    assert (done.stdout, done.exit) == ("1.9.1\n1.9\n1\n", 0)


@pytest.mark.skipif(
    os.geteuid() == 0 and not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read"
)
def test_tags_file_that_cannot_be_read_is_refused() -> None:
    done = imgref("tags", "1.9.1", "--existing", "/proc/self/mem")
    assert (done.stdout, done.exit) == ("", 2)
    assert done.stderr.startswith("error: ")
