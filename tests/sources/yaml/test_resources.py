"""Images in custom resources, in objects of Flux, Argo CD and Tekton: where they end, and how long reading takes."""

from __future__ import annotations

import pytest
from facts import facts, spans
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.sources.occurrence import Reading
from imgref.sources.yaml.reader import read_yaml

CR = "apiVersion: example.com/v1\nkind: App\n"
ARGO = "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"
FLUX = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n"
KYVERNO = "apiVersion: kyverno.io/v1\nkind: Policy\n"
SKAFFOLD = "apiVersion: skaffold/v4beta13\nkind: Config\n"
TEKTON = "apiVersion: tekton.dev/v1\nkind: Task\n"


def read(text: str) -> Reading:
    reading = read_yaml(text, kind=None, named=True)
    assert reading is not None
    return reading


def found(text: str) -> list[tuple[str, str | None, str]]:
    return [fact[2:] for fact in facts(read(text))]


@each(
    "text",
    [
        "apiVersion: v1\nkind: ConfigMap\ndata: {image: a}\n",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {image: a}\n",
        "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nspec: {image: a}\n",
        "apiVersion: compute.cnrm.cloud.google.com/v1\nkind: ComputeInstance\nspec: {image: debian-12}\n",
        "apiVersion: v1\nkind: Pod\nspec: {volumes: [{rbd: {monitors: [a], image: foo}}]}\n",
        CR + "spec: {template: {volumes: [{rbd: {monitors: [a], image: foo}}]}}\n",
        CR + "status: {image: a}\n",
        CR + "metadata: {image: a}\n",
        CR + "spec: {image: 'https://a/b.png', other: {image: data:image/png;base64,xx}}\n",
        CR + "spec: {image: ''}\n",
        CR + "spec: {template: {metadata: {labels: {image: a}}, spec: {nodeSelector: {image: a}}}}\n",
        CR + "spec: {selector: {matchLabels: {image: a}}, annotations: {image: a}}\n",
        CR + "spec: {image: 'ko://example.com/cmd/app', containers: [{image: 'ko://example.com/cmd/app'}]}\n",
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'ko://example.com/cmd/app'}]}\n",
        "apiVersion: build.openshift.io/v1\nkind: BuildConfig\nspec: {output: {to: {kind: DockerImage, name: a}}}\n",
        "apiVersion: image.openshift.io/v1\nkind: ImageStream\nspec: {a: {from: {kind: ImageStreamTag, name: a}}}\n",
        CR + "spec: {image: logo.png, other: {image: disk.QCOW2}}\n",
        FLUX + "spec: {values: {image: logo.svg, a: {image: 'https://example.com/x'}, labels: {image: a}}}\n",
        FLUX + "spec: {values: {podLabels: {image: a}, web: {annotations: {image: a}}}}\n",
        ARGO + "status: {summary: {images: [a]}, x: {kustomize: {images: ['a:1']}}}\n",
    ],
)
def test_what_is_not_an_image_of_a_container_is_not_listed(text: str) -> None:
    assert found(text) == []


def test_an_object_inside_of_another_is_read_by_its_own_kind() -> None:
    inner = "{apiVersion: v1, kind: Secret, data: {image: a}}"
    assert found(CR + f"spec: {{image: 'x:1', manifests: [{inner}]}}\n") == [("x:1", "x:1", "external")]
    assert found(f"apiVersion: v1\nkind: ConfigMap\ndata: {{image: a}}\n---\n{CR}spec: {{image: 'x:1'}}\n") == [
        ("x:1", "x:1", "external")
    ]


@pytest.mark.parametrize("other", ["registry.example/connect:1", "registry.example/connect"])
def test_only_the_image_that_a_resource_builds_is_built_here(other: str) -> None:
    text = (
        "apiVersion: kafka.strimzi.io/v1\nkind: KafkaConnect\n"
        f"spec: {{image: {other!r}, build: {{output: {{image: 'registry.example/connect:1'}}}}}}\n"
    )
    role = "built-here" if other.endswith(":1") else "external"
    assert [fact[2] for fact in found(text)] == [role, "built-here"]


@pytest.mark.parametrize(
    "spec",
    [
        "{tags: [{name: '1', from: {kind: DockerImage, name: 'a:1'}}]}",
        "{strategy: {dockerStrategy: {from: {name: 'a:1', kind: DockerImage}}}, output: {to: {kind: DockerImage}}}",
        "{source: {images: [{from: {kind: DockerImage, name: 'a:1'}}]}}",
    ],
)
def test_images_of_openshift_are_where_a_build_or_a_stream_takes_them_from(spec: str) -> None:
    text = f"apiVersion: example.openshift.io/v1\nkind: Any\nspec: {spec}\n"
    reading = read_yaml(text, kind=None)
    assert reading is not None
    assert [fact[2:] for fact in facts(reading)] == [("a:1", "a:1", "external")]
    assert spans(reading, text) == ["a:1"]


@pytest.mark.parametrize(
    ("group", "image", "role"),
    [
        ("install.istio.io/v1alpha1", "proxyv2", "unresolved"),
        ("sailoperator.io/v1", "proxyv2:1", "unresolved"),
        ("install.istio.io/v1alpha1", "docker.io/istio/proxyv2:1.24.0", "external"),
        ("example.com/v1", "proxyv2", "external"),
    ],
)
def test_a_plain_name_for_istio_is_completed_by_it(group: str, image: str, role: str) -> None:
    text = f"apiVersion: {group}\nkind: Any\nspec: {{values: {{global: {{proxy: {{image: '{image}'}}}}}}}}\n"
    assert found(text) == [(image, image if role == "external" else None, role)]


def test_an_expression_of_a_template_that_is_yaml_is_unresolved() -> None:
    for head in (ARGO + "spec: {source: {helm: {valuesObject: ", FLUX + "spec: {x: {}, values: {y: "):
        assert found(head + "{image: {{image}}}}}}\n"[: None if "helm:" in head else -2] + "\n") == [
            ("{{image}}", None, "unresolved")
        ]


def test_an_output_of_another_operator_is_not_built_here() -> None:
    assert found(CR + "spec: {build: {output: {image: 'a:1'}}}\n") == [("a:1", "a:1", "external")]


@pytest.mark.parametrize(
    ("indent", "header"), [("  ", "|"), ("      ", "|-"), ("   ", "|+  # comment"), ("\n    ", "|")]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_yaml_in_a_block_has_its_own_positions(indent: str, header: str, end: str) -> None:
    text = ARGO + f"spec: {{}}\nx:\n helm:\n  values: {header}\n"
    text += f"  {indent}# a\n".replace("\n    # a", "\n      # a") + "".join(
        f"  {indent.strip(chr(10))}{line}\n" for line in ("image:", "  repository: acme/a", "  tag: v1")
    )
    text += "other: 1\n"
    text = text.replace("\n", end)
    reading = read(text)
    (one,) = reading.occurrences
    assert one.resolved == "acme/a:v1"
    lines = text.split(end)
    assert lines[one.line - 1][one.column - 1 :] == "acme/a"


def test_yaml_in_a_block_can_be_edited() -> None:
    text = ARGO + "spec:\n  helm:\n    values: |\n      image: 'acme/a:v1'\n"
    assert spans(read(text), text) == ["acme/a:v1"]


@pytest.mark.parametrize(
    "text",
    [
        "values: >\n      image: a:1\n",
        "values: |\n      image: [\n",
        "values: |2\n      image: a:1\n",
        "values: |\n      a: &a a:1\n      image: *a\n",
    ],
)
def test_yaml_in_a_block_that_cannot_be_read_is_unresolved(text: str) -> None:
    assert [fact[1:] for fact in found(ARGO + f"spec:\n  helm:\n    {text}")] == [(None, "unresolved")]


def test_values_that_are_not_blocks_have_no_references() -> None:
    assert found(ARGO + "spec: {helm: {values: 'image: a', parameters: x, valuesObject: []}}\n") == []


def test_references_of_uncertain_consumers_keep_their_target_but_get_no_digest() -> None:
    reading = read(CR + "spec: {image: 'a:1', containers: [{image: 'b:1'}]}\n")
    assert [bool(one.target and one.target.unpinnable) for one in reading.occurrences] == [True, False]


VALUES = st.recursive(
    st.sampled_from(["a:1", "''", "$(params.a)", "{{ x }}", "|\n", "7", "null", "docker://a", "sha256:1", "*a"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(
            st.sampled_from([
                "image", "imageName", "registry", "repository", "name", "tag", "url", "values", "valuesObject", "helm",
                "kustomize", "images", "parameters", "params", "steps", "taskSpec", "build", "output", "spec", "bundle",
                "resolver", "default",
                "mutate", "artifacts", "jib", "deploy", "setValues", "verify", "profiles", "value",
                "postRenderers", "reference", "apiVersion", "kind", "containers",
            ]),
            inner,
            max_size=5,
        ).map(lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "head", [CR, ARGO, FLUX, KYVERNO, SKAFFOLD, TEKTON, "apiVersion: kafka.strimzi.io/v1\nkind: K\n"]
)
@given(VALUES)
def test_objects_of_any_shape_are_read(head: str, value: str) -> None:
    text = f"{head}x: &a y\nspec: {value}\n"
    reading = read_yaml(text, kind=None)
    lines = [] if reading is None else [one.line for one in reading.occurrences]
    assert lines == sorted(lines)


@each(
    ("head", "part"),
    [
        (CR, " - {image: 'a:1', x: {image: {repository: a, tag: b}}}\n"),
        (CR, " - &a {image: 'a:1', b: *b}\n"),
        (ARGO, " - helm: {valuesObject: *b, parameters: [{name: a.image.repository, value: x}]}\n"),
        (ARGO, " - {helm: {valuesObject: {a: {b: {image: 'a:1'}}}}, kustomize: {images: ['a:1', 'b=c:1']}}\n"),
        (ARGO, " - helm:\n    values: |\n      image: a:1\n"),
        (TEKTON, " - {params: [{name: a, default: $(params.a)}], steps: [{image: $(params.a)}]}\n"),
        (TEKTON, " - {params: *c, steps: [{image: $(params.a)}]}\n"),
        (KYVERNO + "spec:\n", " - {mutate: {image: 'a:1'}, generate: *b}\n"),
        (SKAFFOLD + "profiles:\n", " - {build: {artifacts: *b}, verify: *b, deploy: {helm: {releases: *b}}}\n"),
        ("jobs:\n", " - {job: a, container: 'a:1', services: *b, parameters: {containers: *b}}\n"),
        ("", "- {vars: {a: b, c: '{{ a }}'}, tasks: [{docker_container: {image: '{{ c }}'}}]}\n"),
        ("", "- vars: {a: b}\n  tasks:\n  - docker_image: {name: '{{ item }}', build: x}\n    loop: [a, b]\n"),
        (FLUX + "---\n" + "apiVersion: v1\nkind: List\nspec: &b {image: 'a:1'}\n",
         " - {apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, spec: {values: *b}}\n"),
    ],
)  # fmt: skip
def test_reading_objects_takes_linear_time(head: str, part: str) -> None:
    items = "" if head.endswith(":\n") or not head else "items:\n"
    shared = "" if "&b" in head or not head else "b: &b [{image: 'x:1'}]\nc: &c [{name: a, default: 'a:1'}]\n"
    assert_linear(lambda size: f"{shared}{head}{items}{part * size}", read, 30, 3)


def test_comments_to_imgref_count_in_the_values_of_an_application() -> None:
    text = (
        ARGO + "spec:\n  source:\n    helm:\n      values: |  # imgref: one\n        # imgref: ignore[IMG102] two\n"
        "        image: a:latest # imgref: three\n        text: |\n          # imgref: no\n"
        "        other: '# imgref: no'\n  note: |\n    # imgref: no\n"
    )
    comments = read(text).comments
    assert [(comment.line, comment.trailing) for comment in comments] == [(6, True), (7, False), (8, True)]
    assert comments[1].text == "ignore[IMG102] two"


@pytest.mark.parametrize(
    ("document", "line", "text"),
    [
        ("a: {image: acme/x}", 1, "image: acme/x"),
        ("b: 1\na:\n  my_image: 'ghcr.io/acme/x:1'", 3, "image: ghcr.io/acme/x:1"),
        ("run: |\n  set -e\n  docker run --rm alpine\n", 2, "docker run"),
    ],
)
def test_an_unknown_document_beside_a_known_one_has_a_trace(document: str, line: int, text: str) -> None:
    known = CR + "spec: {image: 'a:1'}\n"
    for whole, first in ((f"{known}---\n{document}\n", 5), (f"{document}\n---\n{known}", 1)):
        trace = read(whole).trace
        assert trace is not None
        assert (trace.line, trace.text) == (line + first - 1, text)


@pytest.mark.parametrize("document", ["a: 1", "- image", "image: {a: b}", "image: logo.png", "image:", "# image: a:1"])
def test_an_unknown_document_without_images_has_no_trace(document: str) -> None:
    assert read(f"{CR}spec: {{image: 'a:1'}}\n---\n{document}\n").trace is None


def test_values_of_charts_in_a_kustomization_are_read() -> None:
    text = (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nhelmCharts:\n- name: a\n  valuesInline:\n"
        "    image: {repository: acme/a, tag: '1'}\n    b: {image: {repository: acme/b}}\n"
    )
    assert found(text) == [("acme/a", "acme/a:1", "external"), ("acme/b", None, "unresolved")]
    parts = text[: text.index("    image:")] + "    toolImage: {repository: acme/a, tag: '1'}\n"
    assert found(parts) == [("acme/a", "acme/a:1", "external")]


def test_an_image_of_a_kustomization_that_a_template_makes_is_unresolved() -> None:
    assert found(ARGO + "spec: {source: {kustomize: {images: ['{{.image}}', plain]}}}\n") == [
        ("{{.image}}", None, "unresolved")
    ]
