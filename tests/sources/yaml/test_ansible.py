"""The modules of Ansible for containers: values of variables and of loops."""

from __future__ import annotations

import pytest
from facts import facts, spans
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st

from imgref.sources.occurrence import Reading
from imgref.sources.yaml.reader import read_yaml

LOOPS = ("loop", "with_items", "with_list")


def read(text: str) -> Reading:
    reading = read_yaml(text, kind="ansible")
    assert reading is not None
    return reading


def found(text: str) -> list[tuple[str, str | None, str]]:
    return [fact[2:] for fact in facts(read(text))]


@pytest.mark.parametrize("loop", LOOPS)
@given(st.lists(st.sampled_from(["alpine:3.21", "busybox", "ghcr.io/acme/app@sha256:" + "0" * 64]), max_size=5))
def test_each_item_of_a_loop_is_an_image(loop: str, items: list[str]) -> None:
    text = f"- docker_image_pull: {{name: '{{{{ item }}}}'}}\n  {loop}: {items}\n"
    expression = ("{{ item }}", None, "unresolved")
    assert found(text) == [expression, *((item, item, "external") for item in items)]
    assert spans(read(text), text) == [None] * (len(items) + 1)


@pytest.mark.parametrize(
    ("name", "item", "text", "resolved"),
    [
        ("{{ item.image }}", "{name: web, image: 'nginx:1'}", "nginx:1", "nginx:1"),
        ("acme/{{ item }}:2", "web", "web", "acme/web:2"),
        ("{{ host }}/{{ item.name }}:{{ item.tag }}", "{tag: '2', name: web}", "web", "ghcr.io/web:2"),
        ("acme/web:{{ item }}", "22", "22", "acme/web:22"),
    ],
)
def test_a_part_of_an_item_is_placed_at_the_item(name: str, item: str, text: str, resolved: str) -> None:
    play = f"- vars: {{host: ghcr.io}}\n  tasks:\n  - docker_container: {{image: '{name}'}}\n    loop: [{item}]\n"
    reading = read(play)
    assert found(play) == [(name, None, "unresolved"), (text, resolved, "external")]
    line, column = facts(reading)[1][:2]
    assert play.splitlines()[line - 1][column - 1 :].startswith(text)


def test_a_loop_over_a_list_of_the_play_and_with_a_variable_of_its_own() -> None:
    tasks = "- podman_image: {name: '{{ one }}', tag: '3'}\n  loop: '{{ all }}'\n  loop_control: {loop_var: one}\n"
    text = "- vars: {all: [alpine]}\n  tasks:\n" + "".join(f"  {line}\n" for line in tasks.splitlines())
    assert ("alpine", "alpine:3", "external") in found(text)


@pytest.mark.parametrize(
    "task",
    [
        "docker_container: {image: '{{ item }}', state: absent}\n  loop: [a]",
        "docker_container: {image: '{{ item.image }}'}\n  loop: [a]",
        "docker_container: {image: '{{ item | lower }}'}\n  loop: [a]",
        "docker_container: {image: '{{ item }}/{{ other }}'}\n  loop: [a]",
        "docker_container: {image: '{{ item }}'}\n  loop: '{{ unknown }}'",
        "docker_container: {image: '{{ item }}'}\n  with_dict: {a: b}",
        "docker_container: {image: '{{ other }}'}\n  loop: [a]",
        "debug: {msg: '{{ item }}'}\n  loop: [a]",
    ],
)
def test_items_that_are_not_certainly_images_are_not_listed(task: str) -> None:
    assert [role for _, _, role in found(f"- {task}\n") if role != "unresolved"] == []


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("- local_action: {module: community.docker.docker_image, name: 'a:1', source: pull}", ["a:1"]),
        ("- action: community.docker.docker_container name=x image=a:1", ["a:1"]),
        ("- action: {module: docker_container, name: x, image: 'a:1', state: absent}", []),
        ("- action: debug msg=docker_container image=a:1", []),
        ("- action:\n- local_action: {}\n- local_action: [docker_image]", []),
        ("- kubernetes.core.k8s: {definition: {kind: Pod, spec: {containers: [{image: 'a:1'}]}}}", ["a:1"]),
        ("- k8s: {resource_definition: [{spec: {containers: [{image: 'a:1'}, {image: 'b:1'}]}}]}", ["a:1", "b:1"]),
        ("- k8s: {state: absent, definition: {spec: {containers: [{image: 'a:1'}]}}}", []),
        ("- k8s: {definition: {apiVersion: v1, kind: ConfigMap, data: {image: 'a:1'}}}", []),
        ("- k8s: definition=x image=a:1", []),
        ("- k8s: {definition: '{{ lookup(1) }}', src: a.yml}", []),
    ],
)
def test_modules_in_other_forms_and_objects_of_kubernetes(task: str, expected: list[str]) -> None:
    assert [text for text, _, _ in found(f"{task}\n")] == expected
    reading = read_yaml(f"- hosts: all\n  tasks:\n  {task.replace(chr(10), chr(10) + '  ')}\n", kind=None)
    assert [one.text for one in (reading.occurrences if reading else ())] == expected


def test_what_is_built_in_a_loop_is_built_here_wherever_it_is_used() -> None:
    text = (
        "- docker_image: {name: 'acme/{{ item }}', tag: '1', source: build}\n  loop: [web]\n"
        "- docker_container: {image: 'acme/web:1'}\n- docker_container: {image: 'acme/api:1'}\n"
    )
    assert [role for _, _, role in found(text)] == ["unresolved", "built-here", "external"]


@pytest.mark.parametrize("task", ["- docker_container: {image: '{{ item }}'}\n  loop: '{{ a }}'\n", "- debug: x\n"])
def test_reading_tasks_with_a_long_list_takes_linear_time(task: str) -> None:
    def make(size: int) -> str:
        tasks = "".join(f"  {line}\n" for line in task.splitlines()) * size
        return f"- vars:\n    a: [{', '.join(['x'] * size)}]\n  tasks:\n{tasks}"

    assert_linear(make, read, 100, 3)
