"""Parameters and variables of Azure Pipelines, where the file itself sets them."""

from __future__ import annotations

import pytest
from facts import facts, spans
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.sources.occurrence import Reading
from imgref.sources.yaml.reader import read_yaml

JOB = "jobs:\n- job: a\n  container: "
USES = ("${{ variables.img }}", "${{variables['img']}}", "${{ variables[ 'IMG' ] }}", "$(img)", "$(Img)")
SETTINGS = ("variables: {{img: '{}'}}\n", "variables:\n- group: secrets\n- name: img\n  value: '{}'\n")


def read(text: str) -> Reading:
    reading = read_yaml(text, kind="azure-pipelines")
    assert reading is not None
    return reading


def found(text: str) -> list[tuple[str, str | None, str]]:
    return [fact[2:] for fact in facts(read(text))]


@each("use", USES)
@each("settings", SETTINGS)
@each(("before", "value", "after"), [("", "node:22", ""), ("acme/", "app", ":2")])
def test_a_variable_of_the_pipeline_is_substituted(
    use: str, settings: str, before: str, value: str, after: str
) -> None:
    text = f"{settings.format(value)}{JOB}'{before}{use.replace(chr(39), chr(39) * 2)}{after}'\n"
    assert [fact[1:] for fact in found(text)] == [(f"{before}{value}{after}", "external")]
    assert spans(read(text), text) == [None]


def test_variables_in_variables_and_in_the_containers_of_resources() -> None:
    text = (
        "variables: {tag: '22', img: 'node:$(tag)'}\n"
        "resources: {containers: [{container: a, image: '$(img)'}]}\njobs: [{job: b, container: a}]\n"
    )
    assert found(text) == [("$(img)", "node:22", "external")]


@each(
    "text",
    [
        JOB + "$(img)\n",
        f"variables: {{img: '$(img)'}}\n{JOB}$(img)\n",
        f"variables: {{img: '$[ variables.other ]'}}\n{JOB}$(img)\n",
        f"variables: {{img: ''}}\n{JOB}$(img)\n",
        f"variables: [{{template: a.yml}}]\n{JOB}$(img)\n",
        f"variables: {{img: a}}\n{JOB}$(img)\n  variables: {{img: b}}\n",
        f"variables:\n- name: img\n  value: a\n{JOB}$(img)\n  variables:\n  - name: IMG\n    value: b\n",
        f"variables:\n  img: a\n  ${{{{ if eq(1, 2) }}}}:\n    img: b\n{JOB}$(img)\n",
        f"variables:\n- ${{{{ if eq(1, 2) }}}}:\n  - name: img\n    value: b\n{JOB}$(img)\n",
        "jobs:\n- job: b\n  variables: {img: a}\n- job: a\n  container: $(img)\n",
        f"variables: {{img: a}}\n{JOB}${{{{ upper(variables.img) }}}}\n",
        f"variables: {{img: a}}\n{JOB}${{{{ parameters.img }}}}\n",
    ],
)
def test_a_variable_that_may_have_another_value_is_unresolved(text: str) -> None:
    assert [role for _, _, role in found(text)] == ["unresolved"]


@given(st.text("${}()[]'. ivariablesparametersimg\\n\"", max_size=40))
def test_any_expression_is_read_without_an_error(expression: str) -> None:
    for _, resolved, role in found(f"variables: {{img: a}}\n{JOB}{expression}\n"):
        assert role != "external" or (resolved is not None and "$" not in resolved)


@pytest.mark.parametrize("part", ["$(img)", "${{ variables.img }}", "${{ variables['", "$("])
def test_substitution_takes_linear_time(part: str) -> None:
    text = f"variables: {{img: '{'$(img)' * 40}'}}\n{JOB}'"
    assert_linear(lambda size: f"{text}{part * size}'\n".replace("['", "[''"), read, 100, 3)
