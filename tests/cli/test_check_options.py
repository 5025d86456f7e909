"""Options that name kinds, apply excludes to named files, and enforce one policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_trees import run, write_tree

from imgref.sources.kinds import KINDS

Capsys = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")


EXAMPLES = {
    "olm-catalog": "schema: olm.bundle\nimage: nginx\n",
    "bake": 'target "a" { contexts = { b = "docker-image://nginx" } }',
    "argo-cd": "spec: {source: {helm: {valuesObject: {image: nginx}}}}\n",
    "ansible": "- docker_container: {image: nginx}\n",
    "azure-pipelines": "jobs: [{job: a, container: 'a/nginx'}]\n",
    "buildkite": "steps: [{image: nginx}]\n",
    "bitbucket": "image: nginx\n",
    "circleci": "jobs: {a: {docker: [{image: nginx}]}}\n",
    "cloud-build": "steps: [{name: nginx}]\n",
    "compose": "services: {a: {image: nginx}}\n",
    "daemon.json": '{"insecure-registries": ["a.example"]}',
    "devcontainer": '{"image": "nginx"}',
    "dockerfile": "RUN x\nFROM nginx\n",
    "drone": "steps: [{image: nginx}]\n",
    "flux": "kind: HelmRelease\napiVersion: helm.toolkit.fluxcd.io/v2\nspec: {values: {image: nginx}}\n",
    "github-actions": "jobs: {a: {container: nginx}}\n",
    "gitlab-ci": "a: {image: nginx}\n",
    "helm-values": "image: nginx\n",
    "jenkins": "docker.image('nginx').inside {}",
    "kubernetes": "containers: [{image: nginx}]\n",
    "kyverno": "spec: {rules: [{mutate: {image: nginx}}]}\n",
    "kustomize": "images: [{name: a, newName: nginx, newTag: latest}]\n",
    "nomad": 'task "a" { config { image = "nginx" } }',
    "quadlet": "[Container]\nImage=nginx\n",
    "registries.conf": '[[registry]]\nlocation = "a.example"\ninsecure = true\n',
    "terraform": 'resource "docker_container" "a" { image = "nginx" }',
    "skaffold": "verify: [{container: {image: nginx}}]\n",
    "woodpecker": "steps: {a: {image: nginx}}\n",
}


@pytest.mark.parametrize("kind", KINDS)
def test_check_of_a_file_whose_kind_is_named_reads_it_as_such(tmp_path: Path, capsys: Capsys, kind: str) -> None:
    write_tree(tmp_path, {"some.file": EXAMPLES[kind]})
    expected = {"IMG401"} if "." in kind else {"IMG102"} if kind == "kustomize" else {"IMG101"}
    assert set(run(capsys, "check", "--as", kind, "some.file").codes()) - {"IMG901"} == expected
    write_tree(tmp_path, {".imgref.toml": f'[check.files]\n"*.file" = "{kind}"\n'})
    for arguments in (("some.file",), (".",), ()):
        assert set(run(capsys, "check", *arguments).codes()) - {"IMG901"} == expected


def test_a_file_whose_kind_is_named_must_be_readable_as_such(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"a.txt": "a: [\n", ".imgref.toml": '[check.files]\n"a.txt" = "compose"\n'})
    assert run(capsys, "check").codes() == ["IMG901"]
    assert run(capsys, "check", "--as", "daemon.json", "a.txt").codes() == ["IMG901"]


def test_of_several_patterns_for_a_file_the_last_one_counts(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(
        tmp_path,
        {
            ".imgref.toml": '[check.files]\n"*.txt" = "compose"\n"docker/**" = "dockerfile"\n',
            "docker/a.txt": "FROM nginx\n",
            "b.txt": EXAMPLES["compose"],
        },
    )
    assert run(capsys, "check").codes() == ["IMG101", "IMG101"]


def test_settings_of_engines_under_another_name_apply_to_the_tree(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(
        tmp_path,
        {
            ".imgref.toml": '[check.files]\n"docker.json" = "daemon.json"\n',
            "docker.json": '{"insecure-registries": ["a.example"]}',
            "Dockerfile": "FROM a.example/x:1.2.3\n",
        },
    )
    assert run(capsys, "check").codes() == ["IMG401", "IMG401"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as", "dockerfil", "x"], "'dockerfil' is not one of"),
        (["--as", "dockerfile"], "--as is for files that are given by name, and . is a directory"),
        (["--as", "dockerfile", "Dockerfile", "d"], "--as is for files that are given by name, and d is a directory"),
    ],
)
def test_as_refuses_what_is_not_a_kind_and_directories(
    tmp_path: Path, capsys: Capsys, arguments: list[str], message: str
) -> None:
    write_tree(tmp_path, {"Dockerfile": "", "d/x": ""})
    outcome = run(capsys, "check", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


POLICY = '[check]\nselect = ["IMG201"]\nallowed = ["official"]\n'
EVIL = "FROM evil/app:1\n"


@pytest.fixture
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "policy.toml"
    path.write_text(POLICY, encoding="utf-8")
    return path


WEAKENING: dict[str, dict[str, str]] = {
    "root settings": {".imgref.toml": '[check]\nallowed = ["**"]\nexclude = ["**"]\nselect = []\n'},
    "nested settings": {"a/.imgref.toml": "[check]\nselect = []\n"},
    "pyproject": {"pyproject.toml": "[tool.imgref.check]\nselect = []\n"},
    "broken settings": {".imgref.toml": "["},
    "settings that name kinds": {".imgref.toml": '[check.files]\n"**" = "daemon.json"\n'},
    "gitignore": {".gitignore": "*\n"},
    "nested gitignore": {"a/.gitignore": "*\n"},
    "gitattributes": {".gitattributes": "* export-ignore -diff\n"},
    "dockerignore": {".dockerignore": "*\n", "a/Dockerfile.dockerignore": "*\n"},
    "repository below": {"a/.git/HEAD": "ref: refs/heads/main\n", "a/.git/info/exclude": "*\n"},
    "broken repository": {"a/.git": "gitdir: /nowhere\n"},
    "insecure settings": {"daemon.json": '{"insecure-registries": []}'},
    "ignore comment": {"a/Dockerfile": f"# imgref: ignore[IMG201]\n{EVIL}"},
    "ignore comment with a reason": {"a/Dockerfile": f"# imgref: ignore[IMG201] reviewed\n{EVIL}"},
    "ignore comment for the file": {"a/Dockerfile": f"# imgref: ignore-file[ALL] reviewed\n{EVIL}"},
    "frontend": {"a/Dockerfile": f"# syntax=docker/dockerfile:1\n{EVIL}"},
    "chart around": {"Chart.yaml": "name: x\n"},
}


@pytest.mark.parametrize("repository", [True, False])
@pytest.mark.parametrize("name", WEAKENING)
def test_enforce_cannot_be_weakened_by_a_file_in_the_tree(
    tmp_path: Path, capsys: Capsys, policy: Path, name: str, repository: bool
) -> None:
    if repository:
        write_tree(tmp_path, {".git/HEAD": "ref: refs/heads/main\n", ".git/refs/x": "", ".git/objects/x": ""})
    write_tree(tmp_path, {"a/Dockerfile": EVIL, **WEAKENING[name]})
    for path in (".", "a", "a/Dockerfile"):
        outcome = run(capsys, "check", "--enforce", str(policy), path)
        assert (outcome.code, set(outcome.codes())) == (1, {"IMG201"}), outcome
        assert "Dockerfile" in outcome.out


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("compose.yaml", "services: {a: {image: '${X}'}}\n", "IMG503"),
        ("values/Chart.yaml", "", None),
        ("Dockerfile", "ARG X\nFROM $X\n", "IMG501"),
        ("chart/templates/x.yaml", "image: evil/app:1\n", "IMG201"),
        ("chart/templates/y.yaml", "image: evil/{{ 'app:1' }}\n", "IMG503"),
        ("chart/templates/z.yaml", "a: |\n  image: evil/app:1\n", "IMG503"),
        ("pod.yaml", "apiVersion: v1\nkind: Pod\n# {{ x }}\nimage: evil/app:1\nx: [\n", "IMG503"),
        ("compose.yml", "a: [\n", "IMG901"),
        ("deploy.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: evil/app:1}]}\nx: [\n", "IMG201"),
        (".github/workflows/compose.yml", "services: {a: {image: evil/app:1}}\n", "IMG201"),
        ("action.yml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: evil/app:1}]}\n", "IMG201"),
        ("kustomization.yaml", "services: {a: {image: evil/app:1}}\n", "IMG201"),
        ("esc.yml", '"serv\\x69ces": {a: {"im\\u0061ge": evil/app:1}}\n', "IMG201"),
        ("gitlabci.yml", "image: evil/app:1\na: {script: [x]}\n", "IMG201"),
    ],
)
def test_enforce_finds_images_that_are_written_so_as_not_to_be_seen(
    tmp_path: Path, capsys: Capsys, policy: Path, name: str, content: str, code: str | None
) -> None:
    write_tree(tmp_path, {"chart/Chart.yaml": "", name: content})
    outcome = run(capsys, "check", "--enforce", str(policy))
    assert set(outcome.codes()) == ({code} if code else set())
    assert outcome.code == (2 if name == "deploy.yaml" else 1 if code else 0)


@pytest.mark.parametrize(
    "state",
    ["looks like CI", "dangling link", "link outside", "binary"],
)
def test_enforce_fails_for_what_was_not_checked(tmp_path: Path, capsys: Capsys, policy: Path, state: str) -> None:
    if state == "looks like CI":
        write_tree(tmp_path, {"x.yml": "build: {script: make, image: evil/app}\n"})
    elif state == "binary":
        write_tree(tmp_path, {"x.yml": b"\0"})
    else:
        (tmp_path / "x.yml").symlink_to("nowhere" if state == "dangling link" else policy.parent)
    outcome = run(capsys, "check", "--enforce", str(policy))
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: x.yml: ")
    policy.write_text(f'{POLICY}exclude = ["x.yml"]\n', encoding="utf-8")
    assert run(capsys, "check", "--enforce", str(policy)).code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--select", "IMG1"],
        ["--ignore", "IMG2"],
        ["--config", "x.toml"],
        ["--baseline", "known.json"],
        ["--write-baseline", "known.json"],
        ["--exit-zero"],
        ["--ignore-unknown"],
        ["--show-references"],
        ["--build-arg", "BASE=nginx:1.27.3"],
        ["--as", "compose", "Dockerfile"],
    ],
)
def test_enforce_refuses_options_that_could_weaken_it(
    tmp_path: Path, capsys: Capsys, policy: Path, arguments: list[str]
) -> None:
    write_tree(tmp_path, {"Dockerfile": EVIL})
    outcome = run(capsys, "check", "--enforce", str(policy), *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"{arguments[0]} cannot be combined with --enforce" in outcome.err
    assert not (tmp_path / "known.json").exists()


def test_enforce_takes_exceptions_from_its_own_file_only(tmp_path: Path, capsys: Capsys, policy: Path) -> None:
    write_tree(tmp_path, {"a/Dockerfile": EVIL, "b/Dockerfile": "ARG X\nFROM $X\n"})
    for exception, codes in (
        ('exclude = ["a/**"]\n', ["IMG501"]),
        ('ignore = ["IMG501"]\n', ["IMG201"]),
        ('per-file-ignores = { "b/**" = ["IMG501"] }\n', ["IMG201"]),
        ('[[check.exceptions]]\nimage = "evil/app"\n', ["IMG501"]),
        ('[check.files]\n"a/Dockerfile" = "kubernetes"\n', ["IMG501"]),
    ):
        policy.write_text(POLICY + exception, encoding="utf-8")
        assert run(capsys, "check", "--enforce", str(policy)).codes() == codes
    policy.write_text(f'{POLICY}exclude = ["a/**"]\n', encoding="utf-8")
    assert run(capsys, "check", "--enforce", str(policy), "a/Dockerfile").codes() == ["IMG201"]
    assert run(capsys, "check", "--enforce", str(policy), "--force-exclude", "a/Dockerfile").codes() == []


@pytest.mark.parametrize("text", ["", "[chek]\n", "["])
def test_enforce_with_a_policy_that_cannot_be_used_is_an_error(
    tmp_path: Path, capsys: Capsys, policy: Path, text: str
) -> None:
    policy.write_text(text, encoding="utf-8")
    assert run(capsys, "check", "--enforce", str(policy)).code == (2 if text else 0)
    assert run(capsys, "check", "--enforce", str(tmp_path / "nowhere.toml")).code == 2


def test_ignores_without_a_reason_are_findings_where_one_is_required(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(
        tmp_path,
        {
            "Dockerfile": "# imgref: ignore[IMG101]\nFROM nginx\n# imgref: ignore[IMG101] why not\nFROM redis\n",
            "compose.yaml": "# imgref: ignore-file[IMG101,IMG903] -\nservices: {a: {image: nginx}}\n",
        },
    )
    assert run(capsys, "check", "Dockerfile").code == 0
    for settings in ("require-reason = true\n", 'require-reason = true\nselect = ["IMG101"]\n'):
        write_tree(tmp_path, {".imgref.toml": f"[check]\n{settings}"})
        outcome = run(capsys, "check")
        assert (outcome.code, set(outcome.codes()) - {"IMG902"}) == (1, {"IMG903"})
        assert outcome.out.startswith("Dockerfile:1:1: IMG903 the comment has no reason why IMG101 is ignored\n")
        assert "compose.yaml:1:1: IMG903" in outcome.out
    write_tree(tmp_path, {".imgref.toml": "[check]\nrequire-reason = false\n"})
    assert run(capsys, "check", "Dockerfile").code == 0
    write_tree(tmp_path, {".imgref.toml": '[check]\nrequire-reason = "yes"\n'})
    assert "require-reason in [check] must be true or false, not 'yes'" in run(capsys, "check").err


def test_unresolved_images_are_findings_if_selected(tmp_path: Path, capsys: Capsys) -> None:
    write_tree(tmp_path, {"compose.yaml": "services: {a: {image: 'nginx:${TAG}'}}\n"})
    assert run(capsys, "check").code == 0
    outcome = run(capsys, "check", "--select", "IMG503")
    message = "compose.yaml:1:24: IMG503 'nginx:${TAG}' cannot be checked: the variable TAG has no value"
    assert outcome.code == 1
    assert outcome.out.startswith(message)
    write_tree(tmp_path, {".imgref.toml": '[check]\nextend-select = ["IMG503"]\n'})
    assert run(capsys, "check").codes() == ["IMG503"]
    write_tree(
        tmp_path, {"compose.yaml": "services:\n  a:\n    image: $X  # imgref: ignore[IMG503] by the deployment\n"}
    )
    assert run(capsys, "check").codes() == []
