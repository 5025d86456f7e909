"""References: the measured facts, values, and the reasons for refusals."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from tables import each
from vectors import rows

import imgref
from imgref import ImageReference, InvalidReference, parse
from imgref.reference import left_out

FACTS = rows("references.jsonl")
HEX = "a1" * 32


@each("fact", [fact for fact in FACTS if fact["ok"]], ids=lambda fact: ascii(fact["input"])[:60])
def test_valid_references_have_these_parts(fact: dict[str, Any]) -> None:
    ref = parse(fact["input"], default_tag=None)
    assert (ref.registry, ref.path, ref.tag, ref.digest) == (
        fact["registry"], fact["path"], fact["tag"], fact["digest"],
    )  # fmt: skip
    assert str(parse(fact["input"])) == fact["canonical"]
    assert ref.familiar == fact["familiar"]


@each("fact", [fact for fact in FACTS if not fact["ok"]], ids=lambda fact: ascii(fact["input"])[:60])
def test_invalid_references_are_refused_with_a_position_and_a_reason(fact: dict[str, Any]) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse(fact["input"])
    error = caught.value
    start, end = error.span
    assert 0 <= start < end <= len(error.text) == len(fact["input"])
    assert error.reason
    assert error.hint is None or isinstance(parse(error.hint), ImageReference)


@each("row", rows("explanations.jsonl"), ids=lambda row: ascii(row["input"])[:50])
def test_refusals_have_reason_position_and_suggestion(row: dict[str, Any]) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse(row["input"])
    error = caught.value
    start, end = error.span
    assert {"marked": error.text[start:end], "reason": error.reason, "hint": error.hint} == {
        key: row[key] for key in ("marked", "reason", "hint")
    }
    assert str(error).count("\n") == 0


def test_parts_and_views_of_a_reference() -> None:
    ref = parse(f"registry.local:5001/team/gallery/ui:v1@sha256:{HEX}")
    assert ref.account == ref.namespace == "team/gallery"
    assert ref.is_pinned
    assert not ref.without_digest().is_pinned
    assert [r.identifier for r in (ref, ref.without_digest(), ref.with_tag(None))] == [f"sha256:{HEX}", "v1", "latest"]
    assert ref.name == "ui"
    assert ref.repository == "registry.local:5001/team/gallery/ui"
    assert not ref.is_official
    assert parse("localhost/app").account is None
    assert parse("ubuntu").is_official
    assert not parse("library/foo/bar").is_official
    assert not parse("ghcr.io/library/ubuntu").is_official


@pytest.mark.parametrize(
    ("text", "familiar"),
    [
        ("ubuntu", "ubuntu:latest"),
        ("docker.io/library/ubuntu:22.04", "ubuntu:22.04"),
        ("docker.io/localhost/app:1", "docker.io/localhost/app:1"),
        ("docker.io/foo.bar/baz:1", "docker.io/foo.bar/baz:1"),
        ("docker.io/library/foo.bar:1", "foo.bar:1"),
        (f"docker.io/library/{HEX}@sha256:{HEX}", f"{HEX}@sha256:{HEX}"),
        ("quay.io/library/ubuntu:1", "quay.io/library/ubuntu:1"),
    ],
)
def test_the_familiar_form_reads_back(text: str, familiar: str) -> None:
    ref = parse(text)
    assert ref.familiar == familiar
    assert parse(familiar) == ref


def test_nothing_is_dropped_where_a_name_alone_would_be_an_image_id() -> None:
    ref = ImageReference(name=HEX)
    assert ref.familiar == f"docker.io/library/{HEX}"
    assert parse(ref.familiar, default_tag=None) == ref


def test_the_constructor_normalises_as_parse_does_and_adds_no_tag() -> None:
    assert ImageReference(registry="index.docker.io", name="ubuntu") == parse("ubuntu", default_tag=None)
    assert ImageReference(registry="ghcr.io", account="acme/team", name="app", tag="1") == parse(
        "ghcr.io/acme/team/app:1"
    )


@each(
    "parts",
    [
        {"name": "a:b"}, {"name": "a@b"}, {"name": "a/b"}, {"name": ""}, {"name": "A"}, {"name": "a\n"},
        {"name": "a", "tag": ""}, {"name": "a", "tag": "1@sha256:" + HEX}, {"name": "a", "tag": "x" * 129},
        {"name": "a", "digest": "sha256:" + HEX + "\n"}, {"name": "a", "digest": ""}, {"name": "a", "digest": "md5:00"},
        {"name": "a", "registry": "ghcr"}, {"name": "a", "registry": ""}, {"name": "a", "registry": "ghcr.io/x"},
        {"name": "a", "account": "b:1"}, {"name": "a", "account": ""}, {"name": "a", "account": "b/"},
        {"name": "a" * 248}, {"name": "a", "registry": "u:p@ghcr.io"},
    ],
)  # fmt: skip
def test_no_part_can_smuggle_in_another(parts: dict[str, str]) -> None:
    with pytest.raises(InvalidReference):
        ImageReference(**parts)


def test_with_methods_keep_or_drop_the_other_parts() -> None:
    pinned = parse(f"ghcr.io/acme/app:1@sha256:{HEX}")
    assert str(pinned.with_tag("2")) == "ghcr.io/acme/app:2"
    assert str(pinned.with_digest("sha256:" + "b2" * 32)) == "ghcr.io/acme/app:1@sha256:" + "b2" * 32
    assert str(pinned.with_registry("mirror.local:5000")) == f"mirror.local:5000/acme/app:1@sha256:{HEX}"
    assert str(pinned.with_path("other/team/app")) == f"ghcr.io/other/team/app:1@sha256:{HEX}"
    assert str(pinned.with_name("web")) == f"ghcr.io/acme/web:1@sha256:{HEX}"
    assert str(parse("localhost/app:1").with_name("web")) == "localhost/web:1"
    assert str(pinned.with_tag(None)) == "ghcr.io/acme/app"
    assert str(pinned.without_tag()) == f"ghcr.io/acme/app@sha256:{HEX}"
    assert str(pinned.without_digest()) == "ghcr.io/acme/app:1"
    assert str(pinned.without_tag().without_digest()) == "ghcr.io/acme/app"
    assert str(parse("ghcr.io/app:1").with_registry("docker.io")) == "docker.io/library/app:1"
    for change, value in (
        ("tag", "a b"),
        ("digest", "x"),
        ("registry", "host"),
        ("name", "A"),
        ("name", "a/b"),
        ("path", "A"),
    ):
        with pytest.raises(InvalidReference):
            getattr(pinned, f"with_{change}")(value)


def test_a_reference_is_a_value() -> None:
    ref = parse("diamol/golang:1")
    assert ref == parse("docker.io/diamol/golang:1")
    assert ref != parse("diamol/golang:2")
    assert ref != "docker.io/diamol/golang:1"
    assert len({ref, parse("docker.io/diamol/golang:1")}) == 1
    for same in (pickle.loads(pickle.dumps(ref)), copy.copy(ref), copy.deepcopy(ref), eval(repr(ref))):
        assert same == ref
    match ref:
        case ImageReference(registry="docker.io", account=account, name=name):
            assert (account, name) == ("diamol", "golang")
        case _:
            pytest.fail("a reference matches by its parts")


@pytest.mark.parametrize("name", ["tag", "registry", "_parts", "anything"])
def test_a_reference_cannot_be_changed(name: str) -> None:
    ref = parse("ubuntu")
    with pytest.raises(AttributeError):
        setattr(ref, name, "x")
    with pytest.raises(AttributeError):
        delattr(ref, name)


def test_defaults_may_be_others() -> None:
    assert str(parse("ui", default_registry="registry.local:5001", default_tag="v1")) == "registry.local:5001/ui:v1"
    assert str(parse("ui", default_registry="index.docker.io")) == "docker.io/library/ui:latest"
    assert parse("ui", default_tag=None).tag is None
    for wrong in ({"default_registry": "ghcr"}, {"default_registry": "a b.c"}, {"default_tag": "-"}):
        with pytest.raises(InvalidReference):
            parse("ui", **wrong)


def test_the_default_registry_decides_how_long_a_path_may_be() -> None:
    name = "a" * 250
    assert parse(name, default_registry="ghcr.io").name == name
    with pytest.raises(InvalidReference, match="3 more than the 255 allowed"):
        parse(name)


def test_what_is_left_out() -> None:
    assert left_out("ubuntu") == ("registry", "tag")
    assert left_out("index.docker.io/ubuntu:1") == ()
    assert left_out(f"ubuntu@sha256:{HEX}") == ("registry",)
    with pytest.raises(InvalidReference):
        left_out("Ubuntu")


@each(
    "text",
    [
        "user:pw0rd@host/app", "https://user:pw0rd@host/app:1", "user:pw0rd@host.io", "user:p@pw0rd@host/app",
        "user:p/pw0rd@host/app", " user:pw0rd@host/app", "user:pw0rd@host/App", f"u:pw0rd@h/app@sha256:{HEX}",
        "user:$pw0rd@host/app", "user:${pw0rd}@host/app", "user:{{pw0rd}}@host/app", "u:a@pw0rd@host.com:99999999",
        "user:tok/pw0rd@registry.io", "x/user:pw0rd@host.com", "user:pw0rd@host.io/a b",
        "https://pw0rd@ghcr.io/app", "user:pw0rd@host:5000/a b", "user:pw0rd@host", "user:pw0rd@localhost:5000",
    ],
)  # fmt: skip
def test_only_the_text_keeps_credentials(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse(text)
    error = caught.value
    assert error.text == text
    for shown in (str(error), repr(error), error.shown()[0], str(error.args), error.reason, error.hint or ""):
        assert "pw0rd" not in shown
    start, end = error.shown()[1]
    assert 0 <= start < end <= len(error.shown()[0])
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.text, again.span) == (str(error), text, error.span)


def test_text_without_secrets_is_not_masked() -> None:
    for text in ("x:1@md5:abc", f"repo@sha256:{HEX}/x", "app:1@abc123", "app:1@"):
        with pytest.raises(InvalidReference) as caught:
            parse(text)
        assert caught.value.shown()[0] == text


def test_registry_with_credentials_receives_them() -> None:
    makers: list[Callable[[], ImageReference]] = [
        lambda: ImageReference(registry="user:pw0rd@host", name="x"),
        lambda: parse("x", default_registry="user:pw0rd@host"),
        lambda: parse("ghcr.io/x:1").with_registry("user:pw0rd@host"),
    ]
    for make in makers:
        with pytest.raises(InvalidReference, match="credentials do not belong") as caught:
            make()
        assert "pw0rd" not in str(caught.value) + repr(caught.value)


def test_order_is_by_registry_path_and_version() -> None:
    ordered = [
        "a.io/app", "a.io/app:latest", "a.io/app:main", "a.io/app:main-2", "a.io/app:main-10",
        "a.io/app:1.9-rc.2", "a.io/app:1.9-rc.10", "a.io/app:1.9", "a.io/app:1.9-alpine", "a.io/app:1.10a1",
        "a.io/app:v1.10", "a.io/app:1.10-alpine3.9", "a.io/app:1.10-alpine3.10", "a.io/app:2",
        f"a.io/app:2@sha256:{HEX}", "a.io/web:1", "b.io/app:1",
    ]  # fmt: skip
    refs = [parse(text, default_tag=None) for text in ordered]
    backwards = refs[::-1]
    assert [str(ref) for ref in sorted(backwards)] == ordered
    assert refs[0] < refs[1] <= refs[1]
    assert refs[1] > refs[0] >= refs[0]
    with pytest.raises(TypeError):
        sorted([refs[0], "a.io/app"])  # type: ignore[type-var]


@each(
    ("spec", "shown"),
    [
        ("", "docker.io/acme/app:1"), ("<22", "docker.io/acme/app:1  "), (">22", "  docker.io/acme/app:1"),
        ("22", "docker.io/acme/app:1  "), (".6", "docker"), ("familiar", "acme/app:1"), ("tag:>3", "  1"),
        ("digest", ""), ("digest:3", "   "), ("namespace", "acme"), (":<22", "docker.io/acme/app:1::"),
    ],
)  # fmt: skip
def test_format_with_a_spec_returns_the_part_in_that_width(spec: str, shown: str) -> None:
    assert format(parse("acme/app:1"), spec) == shown


@pytest.mark.parametrize("spec", ["color", "d", "tag:d", "_parts", "with_tag", "familiar:x:y"])
def test_format_with_an_invalid_spec_lists_the_valid_ones(spec: str) -> None:
    with pytest.raises(ValueError, match="use a width, as in '<60', or one of registry, path"):
        format(parse("acme/app:1"), spec)


def test_from_dict_reads_what_to_dict_and_the_command_write() -> None:
    for text in ("ubuntu", "localhost/app", f"ghcr.io/acme/app:1@sha256:{HEX}"):
        ref = parse(text)
        assert ImageReference.from_dict(ref.to_dict()) == ref
        assert ImageReference.from_dict({**ref.to_dict(), "input": text, "defaulted": ["tag"]}) == ref


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tag": "2"}, "the key 'reference' contradicts"), ({"name": None}, "'name' must be a string, not NoneType"),
        ({"registry": 5}, "'registry' must be a string, not int"), ({"tag": ["1"]}, "'tag' must be a string, not list"),
        ({"official": True}, "the key 'official' contradicts"), ({"tagg": "1"}, "the key 'tagg' is unknown"),
        ({"account": "a:b"}, "invalid"), ({"path": 5}, "the key 'path' contradicts"),
    ],
)  # fmt: skip
def test_from_dict_of_what_is_not_valid_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidReference, match=reason):
        ImageReference.from_dict({**parse("acme/app:1").to_dict(), **change})


def test_from_dict_without_a_required_key_names_it() -> None:
    with pytest.raises(InvalidReference, match="the key 'name' is missing"):
        ImageReference.from_dict({"registry": "ghcr.io"})


def test_the_cache_is_bounded() -> None:
    from imgref import reference

    for number in range(reference._CACHE_ENTRIES + 10):
        parse(f"app{number}")
    assert 0 < len(reference._cache) <= reference._CACHE_ENTRIES
    parse("a" * 600 + ".io/app")
    assert max(map(len, reference._cache)) <= reference._CACHE_TEXT


def test_every_public_name_is_there_and_no_other() -> None:
    for name in imgref.__all__:
        assert getattr(imgref, name).__name__ == name
    assert set(imgref.__all__) <= set(dir(imgref))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        imgref.nothing  # type: ignore[attr-defined]  # noqa: B018
