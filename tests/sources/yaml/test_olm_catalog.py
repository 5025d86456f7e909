"""Catalogs of OLM: the images of bundles, and nothing of other documents."""

from __future__ import annotations

from growth import assert_linear

from imgref.sources.yaml.reader import read_yaml

BUNDLE = "schema: olm.bundle\nname: a.v1\nimage: quay.io/a/bundle:v1\nrelatedImages:\n"


def found(text: str) -> list[tuple[int, int, str, str]]:
    reading = read_yaml(text, kind=None)
    return [] if reading is None else [(one.line, one.column, one.text, one.construct) for one in reading.occurrences]


def test_images_of_a_bundle_are_found_in_each_document() -> None:
    text = f"schema: olm.package\nname: a\n---\n{BUNDLE}- {{name: op, image: 'quay.io/a/op:v1'}}\n- name: none\n"
    assert found(text) == [
        (6, 8, "quay.io/a/bundle:v1", "bundle.image"),
        (8, 22, "quay.io/a/op:v1", "relatedImages.image"),
    ]


def test_other_documents_have_no_images() -> None:
    assert found("schema: olm.package\nicon: {image: a}\nimage: b\n") == []
    assert found("apiVersion: v1\nkind: Secret\nschema: olm.bundle\nimage: b\n") == []


def test_time_grows_with_the_length() -> None:
    assert_linear(lambda size: BUNDLE + "- image: a\n" * size, found, smallest=100, steps=2)
