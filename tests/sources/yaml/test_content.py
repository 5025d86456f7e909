"""Kinds by content: what is certain is read, whatever the file is called; what is not is said to be skipped."""

from __future__ import annotations

import pytest
from tables import each

from imgref.sources.occurrence import Reading
from imgref.sources.yaml.content import may_have_images
from imgref.sources.yaml.reader import read_yaml


def read(text: str) -> Reading | None:
    return read_yaml(text, kind=None)


@each(
    ("text", "kind", "images"),
    [
        ("image: node:1\nbuild:\n  script:\n    - npm ci\n", "gitlab-ci", ["node:1"]),
        ("build: {stage: a, image: node:1, script: x}\n", "gitlab-ci", ["node:1"]),
        ("stages: [a]\nbuild: {image: node:1, script: x}\n", "gitlab-ci", ["node:1"]),
        (".base: {image: node:1}\nbuild: {extends: .base, script: x}\n", "gitlab-ci", ["node:1"]),
        ("default: {image: node:1}\nbuild: {script: x}\n", "gitlab-ci", ["node:1"]),
        ("build: {script: [x], services: [postgres:1]}\n", "gitlab-ci", ["postgres:1"]),
        ("spec: {inputs: {}}\n---\nbuild: {script: [x], image: a:1}\n", "gitlab-ci", ["a:1"]),
        ("jobs: {a: {runs-on: x, container: node:1}}\n", "github-actions", ["node:1"]),
        ("jobs: {a: {runs-on: x, steps: [{uses: 'docker://node:1'}]}}\n", "github-actions", ["docker://node:1"]),
        ("runs: {using: docker, image: 'docker://node:1'}\n", "github-actions", ["docker://node:1"]),
        ("jobs: {a: {docker: [{image: node:1}]}}\n", "circleci", ["node:1"]),
        ("executors: {a: {docker: [{image: node:1}]}}\n", "circleci", ["node:1"]),
        ("image: node:1\npipelines: {default: [{step: {script: [x]}}]}\n", "bitbucket", ["node:1"]),
        ("kind: pipeline\nsteps: [{name: a, image: node:1}]\n", "drone", ["node:1"]),
        ("steps: {a: {image: node:1, commands: [x]}}\n", "woodpecker", ["node:1"]),
        ("steps: [{image: node:1, settings: {}}]\nservices: {db: {image: pg:1}}\n", "woodpecker", ["node:1", "pg:1"]),
        ("steps:\n- name: gcr.io/cloud-builders/docker:1\n", "cloud-build", ["gcr.io/cloud-builders/docker:1"]),
        ('"serv\\x69ces": {a: {"im\\u0061ge": x:1}}\n', "compose", ["x:1"]),
    ],
)
def test_a_file_that_is_certain_by_content_is_read(text: str, kind: str, images: list[str]) -> None:
    reading = read(text)
    assert reading is not None
    assert (reading.kind, reading.doubt) == (kind, "")
    assert [occurrence.text for occurrence in reading.occurrences] == images


@pytest.mark.parametrize(
    "text",
    [
        "page: {script: main.js, image: logo.png}\n",
        "steps: [{task: x, image: node}]\n",
        "stages: [{jobs: [{container: {image: node}}]}]\n",
        "a: 1\n---\ntasks: {a: {image: node}}\n",
        "pipeline: {image: node}\n",
    ],
)
def test_a_file_that_may_be_one_of_a_ci_system_is_in_doubt(text: str) -> None:
    reading = read(text)
    assert reading is not None
    assert (reading.kind, reading.occurrences) == ("yaml", ())
    assert "looks like a file of a CI system" in reading.doubt


@pytest.mark.parametrize(
    "text",
    [
        "image: logo.png\n",
        "title: x\nimage: {src: logo.png}\n",
        "- hosts: all\n  tasks: [{image: x}]\n",
        "jobs: [a, b]\nsteps: [a]\n",
        "steps: [{image: ''}]\n",
        "steps: [{name: build, args: [x]}]\n",
        "",
        "text",
    ],
)
def test_other_yaml_has_no_references(text: str) -> None:
    assert read(text) is None


def test_a_broken_file_is_read_up_to_there_and_in_doubt() -> None:
    reading = read("apiVersion: v1\nkind: Pod\ncontainers: [{image: a:1}]\nx: [\n")
    assert reading is not None
    assert [occurrence.text for occurrence in reading.occurrences] == ["a:1"]
    assert reading.problems == ()
    assert reading.doubt.startswith("line 5: this is not YAML")
    assert read("x: [\n") is None


@pytest.mark.parametrize(("text", "may"), [("images: a", False), ("image : a", True), ('{"image":1}', True)])
def test_a_file_is_parsed_only_if_it_may_have_images(text: str, may: bool) -> None:
    assert may_have_images(text) is may


@each("kind", ["compose", "github-actions", "gitlab-ci", "kustomize", "circleci", "woodpecker"])
@each("text", ["apiVersion: v1\nkind: Pod\ncontainers: [{image: a:1}]\n", "services: {a: {image: a:1}}\n"])
def test_a_name_does_not_hide_what_is_certain_by_content(kind: str, text: str) -> None:
    reading = read_yaml(text, kind=kind)
    assert reading is not None
    assert [occurrence.text for occurrence in reading.occurrences] == ["a:1"]
