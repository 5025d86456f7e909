"""Repositories: their parts, their images, and what is refused."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError

import pytest

from imgref import InvalidReference, parse
from imgref.repository import Repository

HEX = "a1" * 32


def test_repository_parse_returns_registry_and_path() -> None:
    repository = Repository.parse("registry.local:5001/team/gallery/ui")
    assert (repository.registry, repository.path) == ("registry.local:5001", "team/gallery/ui")
    assert (repository.namespace, repository.name) == ("team/gallery", "ui")
    assert str(repository) == "registry.local:5001/team/gallery/ui"
    assert Repository.parse("localhost/app").namespace is None
    assert str(Repository.parse("app", default_registry="ghcr.io")) == "ghcr.io/app"


def test_repository_is_normalized_however_it_is_made() -> None:
    assert Repository("index.docker.io", "ubuntu") == Repository.parse("ubuntu") == Repository.of(parse("ubuntu:1"))


def test_repository_returns_its_images() -> None:
    repository = Repository.parse("acme/app")
    assert repository.tag("1") == parse("acme/app:1")
    assert repository.digest(f"sha256:{HEX}") == parse(f"acme/app@sha256:{HEX}")
    assert repository.reference == parse("acme/app", default_tag=None)


@pytest.mark.parametrize(
    ("text", "marked"),
    [("acme/app:1", ":1"), (f"ghcr.io/app@sha256:{HEX}", f"@sha256:{HEX}"), ("app:1", ":1"), ("acme/App", "App")],
)
def test_repository_parse_of_more_than_a_repository_marks_it(text: str, marked: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        Repository.parse(text)
    start, end = caught.value.span
    assert text[start:end] == marked


@pytest.mark.parametrize(("registry", "path"), [("ghcr", "a"), ("ghcr.io", "a:1"), ("ghcr.io", ""), ("ghcr.io", "A")])
def test_repository_of_invalid_parts_is_refused(registry: str, path: str) -> None:
    with pytest.raises(InvalidReference):
        Repository(registry, path)


def test_repository_with_an_invalid_tag_or_digest_is_refused() -> None:
    repository = Repository("ghcr.io", "acme/app")
    for make, text in ((repository.tag, "a b"), (repository.digest, "sha256:1"), (repository.tag, "")):
        with pytest.raises(InvalidReference):
            make(text)


def test_repository_is_a_value() -> None:
    repository = Repository("ghcr.io", "acme/app")
    for same in (pickle.loads(pickle.dumps(repository)), copy.deepcopy(repository), eval(repr(repository))):
        assert same == repository
        assert hash(same) == hash(repository)
    assert min(repository, Repository("a.io", "z")).registry == "a.io"
    with pytest.raises(FrozenInstanceError):
        repository.path = "x"  # type: ignore[misc]
