"""Images of Nomad's tasks, and what other drivers run."""

from __future__ import annotations

import pytest
from facts import facts, spans
from growth import assert_linear
from tables import each

from imgref.sources import find_references
from imgref.sources.hcl.nomad import read
from imgref.update.consumers import takes_tag_and_digest


def job(task: str, rest: str = "") -> str:
    return f'job "a" {{\n  group "b" {{\n    task "c" {{\n{task}\n    }}\n  }}\n}}\n{rest}'


@each(
    ("task", "expected"),
    [
        ('driver = "docker"\nconfig {\n  image = "nginx:1"\n}', [(6, 12, "nginx:1", "nginx:1", "external")]),
        ('driver = "podman"\nconfig { image = "docker://a/b" }', [(5, 19, "docker://a/b", "a/b", "external")]),
        ('driver = "docker"\nconfig = { image = "a" }', [(5, 21, "a", "a", "external")]),
        ('driver = var.driver\nconfig { image = "a" }', [(5, 19, "a", "a", "external")]),
        ('config { image = "a" }', [(4, 19, "a", "a", "external")]),
        ('driver = "qemu"\nconfig { image_path = "x.img" }', []),
        ('driver = "raw_exec"\nconfig { image = "a" }', []),
        ('driver = "docker"\nconfig { image = null }', []),
        ('driver = "docker"\nconfig { labels = { image = "a" } }', []),
        ('driver = "docker"\nenv { image = "a" }\nartifact { source = "a" }', []),
        ('driver = "docker"\ntemplate { data = <<E\nimage = "a"\nE\n}', []),
        ('driver = "docker"\nconfig { image = var.image }', [(5, 18, "var.image", "nginx:1.27", "external")]),
        ('driver = "docker"\nconfig { image = "a:${var.tag}" }', [(5, 19, "a:${var.tag}", None, "unresolved")]),
        ('driver = "docker"\nconfig { image = "a:${local.tag}" }', [(5, 19, "a:${local.tag}", "a:3", "external")]),
        ('driver = "docker"\nconfig { image = var.images["a"] }', [(5, 18, 'var.images["a"]', None, "unresolved")]),
        ('driver = "docker"\nconfig { image = "[[ .image ]]" }', [(5, 19, "[[ .image ]]", "[[ .image ]]", "invalid")]),
        ('driver = "docker"\nconfig { image = "{{ .image }}" }', [(5, 19, "{{ .image }}", None, "unresolved")]),
    ],
)  # fmt: skip
def test_nomad_references(task: str, expected: list[tuple[int, int, str, str | None, str]]) -> None:
    rest = 'variable "image" { default = "nginx:1.27" }\nvariable "tag" {}\nlocals { tag = 3 }\n'
    reading = read(job(task, rest))
    assert facts(reading) == expected
    assert not reading.problems


def test_nomad_sidecars_and_dynamic_tasks_have_images() -> None:
    text = (
        'job "a" {\n sidecar_task {\n  driver = "docker"\n  config { image = "b" }\n }\n'
        ' dynamic "task" {\n  content {\n   driver = "docker"\n   config { image = "c" }\n  }\n }\n}\n'
    )
    assert [fact[2] for fact in facts(read(text))] == ["b", "c"]


def test_nomad_image_is_edited_where_it_is_written_and_not_pinned() -> None:
    text = job('driver = "docker"\nconfig { image = "nginx:1" }')
    assert spans(read(text), text) == ["nginx:1"]
    assert not takes_tag_and_digest("nomad", "nomad.config.image")


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("a.nomad", "", "nomad"),
        ("a.nomad.hcl", "", "nomad"),
        ("a.hcl", 'job "a" {', "nomad"),
        ("a.hcl", 'locals {}\ntarget "a" {', "bake"),
        ("a.hcl", "job {}", "unknown"),
    ],
)
def test_nomad_is_recognized_by_name_or_job(path: str, text: str, kind: str) -> None:
    assert find_references(text, path=path).kind == kind


def test_nomad_that_cannot_be_parsed_is_a_problem() -> None:
    reading = read(job('driver = "docker"\nconfig { image = "nginx:1" }\n}'))
    assert [(one.line, one.code) for one in reading.problems] == [(9, "IMG901")]
    assert [fact[2] for fact in facts(reading)] == ["nginx:1"]


@pytest.mark.parametrize("part", ['task "a" {', 'config { image = "a" }\n', "image = var.x\n", "content {"])
def test_nomad_of_many_parts_takes_linear_time(part: str) -> None:
    assert_linear(lambda size: 'job "a" { task "b" {\n' + part * size, read, 100, 3)
