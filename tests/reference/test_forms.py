"""Fields of pydantic models, and the order of tags."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from vectors import clean_environ

from imgref import ImageReference, parse
from imgref.reference._forms import tag_key
from imgref.repository import Repository
from imgref.versions import read_version


class Deployment(BaseModel):
    """A model as programs write it."""

    image: ImageReference
    source: Repository | None = None
    others: list[ImageReference] = []


def test_a_pydantic_field_is_read_from_a_string_or_a_reference() -> None:
    ref = parse("ghcr.io/acme/app:1")
    assert Deployment(image=ref).image is ref
    assert Deployment.model_validate({"image": str(ref)}).image == ref
    assert Deployment.model_validate_json(json.dumps({"image": str(ref), "source": "acme/app"})).source == (
        Repository.parse("acme/app")
    )


def test_a_pydantic_field_is_written_as_a_string() -> None:
    model = Deployment(image=parse("ghcr.io/acme/app:1"), source=Repository("ghcr.io", "a"), others=[parse("ubuntu")])
    written = {
        "image": "ghcr.io/acme/app:1", "source": "ghcr.io/a", "others": ["docker.io/library/ubuntu:latest"],
    }  # fmt: skip
    assert json.loads(model.model_dump_json()) == model.model_dump(mode="json") == written
    assert model.model_dump()["image"] == model.image
    assert Deployment.model_validate_json(model.model_dump_json()) == model


@pytest.mark.parametrize("value", ["Acme/App", "", 5, None, b"app", ["app"], {"name": "app"}])
def test_a_pydantic_field_that_is_not_valid_is_a_validation_error(value: object) -> None:
    with pytest.raises(ValidationError):
        Deployment.model_validate({"image": value})
    with pytest.raises(ValidationError, match="repository has no tag"):
        Deployment.model_validate({"image": "app", "source": "app:1"})


def test_the_json_schema_of_a_pydantic_field_is_a_string() -> None:
    for mode in ("validation", "serialization"):
        schema = Deployment.model_json_schema(mode=mode)
        assert schema["properties"]["image"] == {"title": "Image", "type": "string"}


def test_pydantic_is_not_loaded_by_parsing_and_sorting() -> None:
    code = "import sys, imgref; sorted([imgref.parse('b'), imgref.parse('a')]); print('pydantic_core' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean_environ(), check=True)
    assert done.stdout == "False\n"


numbers = st.integers(0, 12)
releases = st.builds("{}.{}.{}".format, numbers, numbers, numbers)
tails = st.one_of(st.just(""), st.builds("-{}.{}".format, st.sampled_from(["alpha", "beta", "rc"]), numbers))
versions = st.builds("{}{}".format, releases, tails)
tags = st.one_of(versions, st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True))


@given(versions, versions)
def test_the_order_of_tags_is_that_of_semver(one: str, other: str) -> None:
    assert (tag_key(one) < tag_key(other)) == (read_version(one) < read_version(other))


@given(st.lists(tags))
def test_the_order_of_any_tags_is_total(names: list[str]) -> None:
    ordered = sorted({ImageReference(name="app", tag=name) for name in names})
    assert all(one < other and not other < one for one, other in pairwise(ordered))
