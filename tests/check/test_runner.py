from __future__ import annotations

import os
from pathlib import Path

import pytest
from check_trees import write_tree

from imgref.check import runner
from imgref.check.policy import Policy
from imgref.check.rules import default_codes
from imgref.check.runner import Checked, Options, Task, check, list_tasks
from imgref.sources.recognition import is_candidate
from imgref.sources.walk import Listing


def checked(*paths: str, options: Options | None = None, jobs: int | None = None) -> list[Checked]:
    policies = [Policy(default_codes())]
    listing = Listing(is_candidate, os.environ)
    tasks = list_tasks(paths or (".",), lambda _: 0, policies, listing).tasks
    return list(check(tasks, policies, options or Options(), jobs=jobs))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def findings(results: list[Checked]) -> list[tuple[str, int, int, str]]:
    return [(found.path, found.line, found.column, found.code) for result in results for found in result.findings]


def test_results_are_the_same_however_many_processes(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"{number % 7}/{number}.Dockerfile": "FROM nginx\n" for number in range(100)})
    write_tree(tmp_path, {f"{number % 5}/{number}.yaml": "services: {a: {image: redis}}\n" for number in range(50)})
    write_tree(tmp_path, {"daemon.json": '{"insecure-registries": ["docker.io"]}\n'})
    alone = checked(jobs=1)
    assert alone == checked(jobs=2)
    assert len(findings(alone)) == 301
    paths = [result.path.split("/") for result in alone]
    assert paths == sorted(paths)


def test_check_of_a_file_passed_twice_reads_it_once(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a/Dockerfile": "FROM nginx\n"})
    results = checked("a", "a/Dockerfile", "./a/", f"{tmp_path}/a/Dockerfile", "a/../a/Dockerfile")
    assert findings(results) == [("a/Dockerfile", 1, 6, "IMG101")]


def test_engine_settings_apply_to_the_whole_tree(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        {
            "a/Dockerfile": "FROM registry.local:5001/x:1\nFROM localhost:5000/y:1\n",
            "z/daemon.json": '{"insecure-registries": ["registry.local:5001", "localhost:5000"]}\n',
        },
    )
    assert findings(checked()) == [("a/Dockerfile", 1, 6, "IMG401"), ("z/daemon.json", 1, 27, "IMG401")]
    assert findings(checked("a")) == []


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("Dockerfile", b"FROM nginx\0\n", "the file is not a text file: it contains a NUL byte"),
        ("Dockerfile", b"\xff\xfeF\0R\0O\0M\0 \0x\0\n\0", "the file is UTF-16, and a Dockerfile must be UTF-8"),
        ("compose.yaml", b"\x7fELF\0\1", "the file is not a text file: it contains a NUL byte"),
        ("compose.yaml", b"\xff\xfe\0", "the file is not valid UTF-16: truncated data"),
        ("compose.yaml", b"a: " + b"x" * 200, "the file has more than 100 bytes (--max-size), and is not read"),
        ("daemon.json", b"\0", "the file is not a text file: it contains a NUL byte"),
    ],
)
def test_what_cannot_be_read_is_one_finding(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    write_tree(tmp_path, {name: data})
    (result,) = checked(options=Options(max_size=100))
    assert [(found.code, found.line, found.column, found.message) for found in result.findings] == [
        ("IMG901", 1, 1, message)
    ]


@pytest.mark.parametrize("data", [b"\0", b"a: " + b"x" * 200])
def test_unreadable_file_of_an_unknown_kind_is_unread(tmp_path: Path, data: bytes) -> None:
    write_tree(tmp_path, {"some.yaml": data})
    (result,) = checked(options=Options(max_size=100))
    assert (result.findings, result.status) == ((), "unread")
    assert result.reason
    (result,) = checked("some.yaml", options=Options(max_size=100))
    assert [found.code for found in result.findings] == ["IMG901"]


@pytest.mark.parametrize(("named", "status"), [(False, "skipped"), (True, "unread")])
def test_a_file_that_is_deleted_during_the_check_is_not_passed_over(named: bool, status: str) -> None:
    (result,) = check([Task("Dockerfile", named, 0)], [Policy(default_codes())], Options())
    assert (result.findings, result.status) == ((), status)
    assert ("does not exist" if named else "was deleted during the check") == result.reason


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"Dockerfile": "FROM nginx\n", "some.yaml": "", "z.Dockerfile": "FROM redis\n"})

    def refuse(path: str, max_size: int) -> bytes:
        if path.startswith("z"):
            return b"FROM redis\n"
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(runner, "_bytes_of", refuse)
    dockerfile, some, last = checked()
    assert [found.message for found in dockerfile.findings] == ["the file cannot be read: Permission denied"]
    assert (some.status, some.reason) == ("unread", "cannot be read: Permission denied")
    assert [found.code for found in last.findings] == ["IMG101"]


def test_a_mistake_of_a_reader_costs_one_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"Dockerfile": "", "z.yaml": "services: {a: {image: nginx}}\n"})

    def fail(*_: object, **__: object) -> None:
        raise IndexError("oh")

    monkeypatch.setattr("imgref.sources.dockerfile.reader.read_dockerfile", fail)
    assert findings(checked()) == [("Dockerfile", 1, 1, "IMG901"), ("z.yaml", 1, 23, "IMG101")]


def test_reading_with_an_invalid_byte_finds_everything_else(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        {
            "Dockerfile": b"# caf\xe9\nFROM nginx\n",
            "compose.yaml": b"# caf\xe9\nservices: {a: {image: nginx}}\n",
            "deploy.yaml": "services: {a: {image: redis}}\n".encode("utf-16"),
            "latin.yaml": b"# caf\xe9\nservices: {a: {image: nginx}}\n",
            "x.yaml": b"\xef\xbb\xbfservices: {a: {image: redis}}\n",
        },
    )
    assert findings(checked()) == [
        ("Dockerfile", 2, 6, "IMG101"),
        ("compose.yaml", 1, 6, "IMG901"),
        ("compose.yaml", 2, 23, "IMG101"),
        ("deploy.yaml", 1, 23, "IMG101"),
        ("latin.yaml", 2, 23, "IMG101"),
        ("x.yaml", 1, 23, "IMG101"),
    ]


def test_a_file_that_is_named_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        {
            "build.txt": "# x\n\nfrom nginx\n",
            "pod.json": '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "nginx"}]}}\n',
            "notes.txt": "nothing\n",
        },
    )
    assert findings(checked("build.txt", "pod.json")) == [("build.txt", 3, 6, "IMG101"), ("pod.json", 1, 72, "IMG101")]
    write_tree(tmp_path, {"page.md": "*no* YAML: [\n", "broken.json": "{"})
    for name in ("notes.txt", "page.md"):
        (result,) = checked(name)
        assert (result.findings, result.status) == ((), "unknown")
    assert findings(checked("broken.json")) == [("broken.json", 1, 2, "IMG901")]
    assert [(result.path, result.status) for result in checked() if result.findings or result.status != "checked"] == [
        ("broken.json", "nothing"),
        ("pod.json", "checked"),
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"values.yaml": "image: nginx\n"}, []),
        ({"Chart.yaml": "", "values.yaml": "image: nginx\n"}, [("values.yaml", 1, 8, "IMG101")]),
        ({"Chart.yaml": "", "ci/values-x.yml": "image: nginx\n"}, [("ci/values-x.yml", 1, 8, "IMG101")]),
        ({"Chart.yaml": "", "values.yaml": "image:\n  repository: nginx\n  tag: ''\n"}, []),
        (
            {"Chart.yaml": "", "values.yaml": "image:\n  repository: a\n  tag: latest\n"},
            [("values.yaml", 2, 15, "IMG102")],
        ),
        ({"Chart.yaml": "", ".git/x": "", "sub/.git/x": "", "sub/values.yaml": "image: nginx\n"}, []),
        ({"Chart.yaml": "", "templates/a.yaml": "image: {{ .Values.image }}\n  bad: [\n"}, []),
    ],
)
def test_charts(tmp_path: Path, files: dict[str, str], expected: list[tuple[str, int, int, str]]) -> None:
    write_tree(tmp_path, files)
    assert findings(checked()) == expected


@pytest.mark.parametrize(
    ("name", "candidate"),
    [
        ("Dockerfile", True),
        ("dockerfile", True),
        ("Containerfile", True),
        ("Containerfile.dev", True),
        ("Dockerfile.dev", True),
        ("Dockerfile.go", True),
        ("dockerfile.dev", True),
        ("dockerfile.go", True),
        ("Dockerfile-dev", True),
        ("api.Dockerfile", True),
        ("api.dockerfile", True),
        ("a.b.DOCKERFILE", True),
        ("Dockerfile.dockerignore", False),
        (".dockerignore", False),
        ("Dockerfile.j2", False),
        ("Dockerfile.dev.tmpl", False),
        ("Dockerfile.tpl", False),
        ("Dockerfile.md", False),
        ("MyDockerfile", False),
        ("Dockerfiles", False),
        ("Dockerfile_dev", True),
        ("compose.yml", True),
        ("a.YAML", True),
        ("a.json", True),
        ("daemon.json", True),
        ("registries.conf", True),
    ],
)
def test_names(name: str, candidate: bool) -> None:
    assert is_candidate(f"Dockerfile/{name}") is candidate


def test_the_lines_of_findings_go_with_them_without_credentials(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Dockerfile": "ARG X=1\r\nFROM me:secret@ghcr.io/a:$X\r\n"})
    (result,) = checked()
    assert result.lines == {2: "FROM *********@ghcr.io/a:$X"}
    assert "secret" not in repr(result)


def test_counts(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Dockerfile": "FROM $X\nFROM a:1 AS b\nFROM b\n"})
    (result,) = checked(options=Options(checking=False, keep=True))
    assert (result.references, result.unresolved, result.findings) == (2, 1, ())
    assert [one.role for one in result.occurrences] == ["unresolved", "external", "stage"]


BINARY_LOOKALIKES = [
    "a.image", "a.volume", "a.build", "a.network", "a.pod", "a.kube", "a.container", "a.image.d/b.conf", "a.tf",
    "a.tf.json", "a.tofu", "a.hcl", "a.nomad", "a.nomad.hcl", "a.json", "a.groovy", "Dockerfile.tar.gz",
]  # fmt: skip


@pytest.mark.parametrize("name", BINARY_LOOKALIKES)
@pytest.mark.parametrize("size", [20, 12 * 1024 * 1024])
def test_binary_file_whose_name_only_suggests_a_kind_is_skipped_in_a_directory(name: str, size: int) -> None:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)  # a sparse file
    assert {(result.status, result.findings) for result in checked()} <= {("nothing", ())}
    (result,) = checked(name)
    assert result.status == "unknown" or [found.code for found in result.findings] == ["IMG901"]


@pytest.mark.parametrize("name", ["a.image", "a.tf", "a.hcl", "a.nomad"])
@pytest.mark.parametrize("data", [b"x" * 9000 + b"\0", "é\n".encode("utf-16") * 5000])
def test_large_file_that_may_be_text_is_never_nothing(name: str, data: bytes) -> None:
    Path(name).write_bytes(data)
    results = checked(options=Options(max_size=100))
    assert [result.status for result in results if not result.findings] in ([], ["unread"])


OBJECT = '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "nginx"}]}}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OBJECT, ["IMG101"]),
        (OBJECT.replace(": ", ":\t"), ["IMG101"]),
        (OBJECT.replace("v1", "apps/v1").replace("Pod", "List").replace("spec", "x"), ["IMG101"]),
        ('{"apiVersion": "v1", "kind": "ConfigMap", "data": {"image": "nginx"}}', []),
        ('{"kind": "Pod", "spec": {"containers": [{"image": "nginx"}]}}', []),
        ('{"services": {"a": {"image": "nginx"}}}', []),
        ("// settings\n{", []),
        ("{", []),
    ],
)
def test_json_in_a_directory_is_read_if_it_is_an_object_of_kubernetes(text: str, expected: list[str]) -> None:
    Path("a.json").write_text(text, encoding="utf-8")
    (result,) = checked()
    assert [finding.code for finding in result.findings] == expected
    assert result.status in {"checked", "nothing"}


def test_large_json_in_a_directory_is_probed_only() -> None:
    Path("a.json").write_text('{"image": "ghcr.io/acme/x:1"}' + " " * 200, encoding="utf-8")
    Path("b.json").write_text(OBJECT.replace("nginx", "n") + " " * 200, encoding="utf-8")
    results = checked(options=Options(max_size=100))
    assert [(result.path, result.status) for result in results] == [("a.json", "unrecognized"), ("b.json", "nothing")]


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "x.yaml", "docker-bake.hcl", "devcontainer.json"])
@pytest.mark.parametrize("size", [20, 12 * 1024 * 1024])
def test_binary_file_with_a_known_name_is_reported(name: str, size: int) -> None:
    with Path(name).open("wb") as file:
        file.truncate(size)
    (result,) = checked()
    assert result.status == "unread" or [found.code for found in result.findings] == ["IMG901"]


def test_compose_file_is_checked_with_the_values_of_the_env_file_beside_it(tmp_path: Path) -> None:
    image = "services:\n  web:\n    image: nginx:${TAG}\n"
    write_tree(tmp_path, {"a/compose.yaml": image, "a/.env": "TAG=latest\n", "b/compose.yaml": image})
    write_tree(tmp_path, {"c/compose.yaml": image, "c/.env": "TAG='\n"})
    assert findings(checked()) == [("a/compose.yaml", 3, 12, "IMG102"), ("c/compose.yaml", 1, 1, "IMG901")]
