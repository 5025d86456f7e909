"""Images in Jenkins pipelines: agents, scripts, pods, registries, and what is built or only looks like an image."""

from __future__ import annotations

import pytest
from facts import facts, spans
from growth import assert_linear
from tables import each

from imgref.sources import find_references
from imgref.sources.groovy.jenkins import is_pipeline, read
from imgref.update.consumers import takes_tag_and_digest

FOUND = ("maven:3.9", "maven:3.9", "external")


@each(
    "text",
    [
        "pipeline { agent { docker 'maven:3.9' } }",
        'pipeline { agent { docker "maven:3.9" } }',
        "pipeline { agent { docker('maven:3.9') } }",
        "pipeline { agent { docker image: 'maven:3.9', args: '-v x' } }",
        "pipeline { agent { docker(image: 'maven:3.9', label: 'x') } }",
        "pipeline { agent { docker { image 'maven:3.9' } } }",
        "pipeline {\n agent {\n  docker {\n   label 'docker'\n   image 'maven:3.9' // JDK\n   args '-v x'\n  }\n }\n}",
        "pipeline { agent { docker { image('maven:3.9'); args '-v x' } } }",
        "pipeline { agent { docker { image '''maven:3.9''' } } }",
        "node { docker.image('maven:3.9').inside { sh 'mvn' } }",
        "node {\n def image = docker.image('maven:3.9')\n image.withRun('-d') { c -> sh 'x' } }",
        "def call(script) { script.docker.image('maven:3.9').pull() }",
        "pipeline\n{\n agent\n {\n  docker\n\n  {\n   image 'maven:3.9'\n  }\n }\n}",
        "podTemplate(containers: [containerTemplate(name: 'a', image: 'maven:3.9', ttyEnabled: true)]) { node { } }",
        "pipeline { agent { kubernetes { containerTemplate { name 'a'\n image 'maven:3.9' } } } }",
        "pipeline { agent { kubernetes { yaml '''\nspec:\n  containers:\n  - image: maven:3.9\n    name: a\n''' } } }",
        'podTemplate(yaml: """\nspec:\n  containers:\n    - name: a\n      image: "maven:3.9"  # JDK\n""") { }',
        "node { docker.withRegistry('', 'credentials') { docker.image('maven:3.9').inside {} } }",
    ],
)
def test_jenkins_images_are_found_where_they_are(text: str) -> None:
    ((line, column, *rest),) = facts(read(text))
    assert tuple(rest) == FOUND
    assert text.splitlines()[line - 1][column - 1 :].startswith("maven:3.9")
    assert spans(read(text), text) == ["maven:3.9"]


@each(
    "text",
    [
        "pipeline { agent { dockerfile { filename 'Dockerfile.build' } } }",
        "pipeline { agent { label 'docker' } }",
        "pipeline { agent any\n environment { image = 'nginx' } }",
        "node { sh 'docker run nginx' }",
        'node { sh """\ndocker.image(\'nginx\')\n""" }',
        "node {\n // docker.image('nginx')\n /* agent { docker 'nginx' } */\n}",
        "def images = [image: 'nginx']\nnode { echo 'image' }",
        "def docker = { image 'nginx' }",
        "pipeline { agent { docker { label 'x' } } }",
        "pipeline { agent { docker { image '' } } }",
        "pipeline { agent { kubernetes { yaml libraryResource('pod.yaml') } } }",
        "pipeline { agent { kubernetes { yaml '''\n# image: nginx\nspec: {image: {reference: x}}\nimage:\n''' } } }",
        "def yaml = '''\nimage: nginx\n'''",
        "x = a / 2; y = b / 'docker'\nz = ~/docker.image('nginx')/",
        "mydocker.image('nginx')\ndocker.image",
    ],
)
def test_jenkins_has_no_images_in_text_and_settings_of_other_things(text: str) -> None:
    assert facts(read(text)) == []


@each(
    ("value", "expected"),
    [
        ("config.image", ("config.image", None, "unresolved")),
        ("params.IMAGE ?: 'nginx'", ("params.IMAGE ?: 'nginx'", None, "unresolved")),
        ("'a:' + version", ("'a:' + version", None, "unresolved")),
        ('"a:${env.TAG}"', ("a:${env.TAG}", None, "unresolved")),
        ("image('x', 'y')", ("image('x', 'y')", None, "unresolved")),
        ("'a:$TAG'", ("a:$TAG", "a:$TAG", "invalid")),
        ("'BAD'", ("BAD", "BAD", "invalid")),
        ("'a\\/b'", ("a\\/b", "a/b", "external")),
    ],
)
@each("form", ["node { docker.image(VALUE).inside {} }", "pipeline { agent { docker { image VALUE\n} } }"])
def test_jenkins_does_not_follow_variables(form: str, value: str, expected: tuple[str, str | None, str]) -> None:
    assert [fact[2:] for fact in facts(read(form.replace("VALUE", value)))] == [expected]


@each(
    ("url", "resolved"),
    [
        ("'https://public.ecr.aws/'", "public.ecr.aws/a/b:1"),
        ("'http://r.example:5000'", "r.example:5000/a/b:1"),
        ("''", "a/b:1"),
        ("env.REGISTRY", None),
        ('"https://${HOST}"', None),
    ],
)
@each(
    "form",
    [
        "pipeline { agent { docker {\n image 'a/b:1'\n registryUrl URL\n } } }",
        "pipeline { agent { docker {\n registryUrl URL\n image 'a/b:1'\n } } }",
        "node { docker.withRegistry(URL, 'id')\n {\n docker.image('a/b:1').push() } }",
        "node { docker.withRegistry(URL, 'id') {\n stage('x') { docker.image('a/b:1').inside {} } } }",
    ],
)
def test_jenkins_registry_goes_before_the_image(form: str, url: str, resolved: str | None) -> None:
    text = form.replace("URL", url)
    ((*_, written, found, role),) = facts(read(text))
    assert (written, found, role) == ("a/b:1", resolved, "unresolved" if resolved is None else "external")
    assert spans(read(text), text) == [None if resolved is None else "a/b:1"]


def test_jenkins_registry_is_not_put_before_an_image_that_has_it_and_ends_with_its_block() -> None:
    text = (
        "node { docker.withRegistry('https://r.example') { docker.image('r.example/a') }\n"
        "docker.image('b') }\npipeline { agent { docker 'c' } }"
    )
    assert [fact[3] for fact in facts(read(text))] == ["r.example/a", "b", "c"]


def test_jenkins_image_that_the_file_builds_is_built_here_wherever_it_is_used() -> None:
    text = "node {\n docker.image('app').inside {}\n docker.build('app', '-f x .')\n docker.build(\"b:${v}\")\n}"
    assert [fact[2:] for fact in facts(read(text))] == [
        ("app", "app", "built-here"),
        ("app", "app", "built-here"),
        ("b:${v}", None, "unresolved"),
    ]


def test_jenkins_pod_with_variables_is_unresolved_there() -> None:
    text = 'podTemplate(yaml: """\ncontainers:\n- image: a:${TAG}\n- image: b:1\n- image: ${C}\n""") {}'
    assert facts(read(text)) == [
        (3, 10, "a:${TAG}", None, "unresolved"),
        (4, 10, "b:1", "b:1", "external"),
        (5, 10, "${C}", None, "unresolved"),
    ]


def test_jenkins_comments_to_imgref_are_read() -> None:
    text = "#!/bin/groovy\n// imgref: ignore-file[IMG101]\nnode { } // imgref: keep it\ns = '// imgref: no' // docker\n"
    assert [(one.line, one.text, one.trailing) for one in read(text).comments] == [
        (2, "ignore-file[IMG101]", False),
        (3, "keep it", True),
    ]


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("Jenkinsfile", "", "jenkins"),
        ("ci/Jenkinsfile.release", "", "jenkins"),
        ("a.jenkinsfile", "", "jenkins"),
        ("Jenkinsfile.md", "", "unknown"),
        ("vars/a.groovy", "def call() {\n  node('x') {\n  }\n}", "jenkins"),
        ("vars/a.groovy", "class Pipeline { }", "unknown"),
    ],
)
def test_jenkins_is_recognized_by_name_or_block(path: str, text: str, kind: str) -> None:
    assert find_references(text, path=path).kind == kind


@pytest.mark.parametrize("text", ["node {}", "  node('a') {", "pipeline{", "podTemplate(x) {"])
def test_jenkins_pipelines_have_such_a_block(text: str) -> None:
    assert is_pipeline(text)


def test_jenkins_images_are_not_pinned() -> None:
    assert not takes_tag_and_digest("jenkins", "jenkins.docker.image")


@each(
    "part",
    ["docker.image(", "agent { docker {", "'", '"', "'''", '"""', "$/", "/", "= /", "\\", "/*", "image 'a'\n",
     "image: ",
     "(", "}", "docker.image('a')\n", "a.", "\n", " ", "- ", "image: a \n", "docker.withRegistry('https://a') {"],
)  # fmt: skip
@each("before", ["node { docker ", "pipeline { agent { docker { image ", "podTemplate(yaml: '''\nimage: a"])
def test_jenkins_of_many_parts_takes_linear_time(part: str, before: str) -> None:
    assert_linear(lambda size: before + part * size + "x", read, 100, 3)
