"""What holds for any reference, and for any text."""

from __future__ import annotations

import pytest
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref import ImageReference, InvalidReference, parse
from imgref.reference import canonical

HEXDIGITS = "0123456789abcdef"
components = st.from_regex(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+){0,2}", fullmatch=True)
paths = st.lists(components, min_size=1, max_size=4).map("/".join).filter(lambda path: len(path) <= 247)
labels = st.from_regex(r"[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)?", fullmatch=True)
ports = st.from_regex(r"(?::[0-9]{1,6})?", fullmatch=True)
registries = st.one_of(
    st.builds("{}.{}{}".format, labels, labels, ports),
    st.builds("{}:{}".format, labels, st.integers(0, 99999)),
    st.sampled_from(["localhost", "docker.io", "index.docker.io", "Docker.io", "[::1]:5000", "registry.local:5001"]),
)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
digests = st.text(HEXDIGITS, min_size=64, max_size=64).map("sha256:{}".format)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Write a valid reference."""
    text = draw(paths)
    if draw(st.booleans()):
        text = f"{draw(registries)}/{text}"
    if draw(st.booleans()):
        text += f":{draw(tags)}"
    if draw(st.booleans()):
        text += f"@{draw(digests)}"
    return text


def parsed(text: str) -> ImageReference | None:
    try:
        return parse(text)
    except InvalidReference:
        return None


@given(texts())
def test_what_is_parsed_prints_to_what_parses_to_the_same(text: str) -> None:
    ref = parsed(text)
    if ref is not None:
        assert parse(str(ref)) == ref
        assert str(parse(str(ref))) == str(ref)
        assert parse(ref.familiar) == ref


@given(texts() | st.text(max_size=40) | st.text("ab/.:-_@A[]", max_size=12))
def test_canonical_text_is_that_of_the_parsed_value_or_the_same_error(text: str) -> None:
    ref = parsed(text)
    if ref is not None:
        assert canonical(text) == str(ref)
        return
    with pytest.raises(InvalidReference) as raised:
        canonical(text)
    with pytest.raises(InvalidReference) as expected:
        parse(text)
    assert raised.value.__dict__ == expected.value.__dict__


@given(texts())
def test_without_a_default_tag_all_comes_back_too(text: str) -> None:
    if parsed(text) is not None:
        ref = parse(text, default_tag=None)
        assert parse(str(ref), default_tag=None) == ref
        assert parse(ref.familiar, default_tag=None) == ref


@given(texts())
def test_a_reference_is_made_of_its_parts(text: str) -> None:
    ref = parsed(text)
    if ref is not None:
        parts = {key: getattr(ref, key) for key in ImageReference.__match_args__}
        assert ImageReference(**parts) == ref
        assert parse(ref.repository, default_tag=None).repository == ref.repository


@given(st.one_of(st.text(), st.text("aA0.-_/:@[]$ {<é\n\x00"), texts().map(str.upper), texts().map("{} ".format)))
def test_parse_of_any_string_raises_only_invalid_reference(text: str) -> None:
    try:
        parse(text)
    except InvalidReference as caught:
        error = caught
    else:
        return
    start, end = error.span
    assert 0 <= start <= end <= len(text)
    assert start < end or not text
    assert "\n" not in str(error)
    assert error.hint is None or parsed(error.hint) is not None
    shown, (start, end) = error.shown()
    assert 0 <= start <= end <= len(shown)


@given(st.text("aA.:@/é "), st.text("aA.:@/é "), st.none() | st.text("aA.:@/é "), st.none() | st.text("aA.:@/é "))
def test_no_parts_raise_anything_but_invalid_reference(
    registry: str, name: str, account: str | None, tag: str | None
) -> None:
    try:
        ref = ImageReference(registry=registry, name=name, account=account, tag=tag)
    except InvalidReference:
        return
    assert parse(str(ref), default_tag=None) == ref


WORST = [
    "a", "a/", ".", "a.", "-", "a-", "_", "a_", "a__b-", "@", "a@", "a:b@", ":", "/", "$", "${", "$(", "%a", "{{", "{%",
    "<none", "<none>", "[", "A", "A/", " ", "a ", "+", "é", "http://", "a:b@c/", "sha256:", "a@sha256:", "localhost/",
]  # fmt: skip


@each("piece", WORST)
@each("frame", ["{}", "a.b/{}!", "a:{}", "[{}]/x", "{}b.-c/x"])
def test_parse_of_a_long_text_takes_linear_time(piece: str, frame: str) -> None:
    assert_linear(lambda size: frame.format(piece * (size // len(piece))), parsed)
