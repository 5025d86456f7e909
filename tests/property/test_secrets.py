"""Credentials in every kind of file, option and variable, searched for in everything that is printed or written."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from unittest import mock

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from imgref.cli.main import main

MARK = "S3cr3t"
"""Is at both ends of every password."""

PLAIN = "abz09-_.~!%+:"
"""What a password may have wherever it is written; quotes and escapes follow each file's own rules."""

PASSWORDS = st.text(st.sampled_from(PLAIN), max_size=6).map(lambda text: f"{MARK}{text}{MARK}")
QUOTED_PASSWORDS = (
    st.text(st.sampled_from(PLAIN + "@/&*()[]{}<>|;?'\"\\"), max_size=6)
    .filter(lambda text: not re.search("[\"']:", text))
    .map(lambda text: f"{MARK}{text}{MARK}")
)
HOSTS = st.sampled_from(["host/app", "registry.example:5000/a/b:1", "10.0.0.1/app", "$UNKNOWN/app", "${UNKNOWN}/a:1"])


def references(passwords: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    users = st.one_of(
        passwords.map(lambda password: f"user:{password}"),
        passwords.map(lambda password: f"https://user:{password}"),
        passwords.map(lambda password: f"https://{password.replace(chr(47), chr(45))}"),
        st.just(f"{MARK}0123456789abcdef{MARK}"),
    )
    return st.builds("{}@{}".format, users, HOSTS)


DOCKERFILES = [
    "FROM REF\n",
    "FROM REF AS a\nFROM a b REF\n",
    "ARG X=REF\nFROM $X\n",
    "ARG X\nFROM ${X}REF\n",
    "# syntax=REF\nFROM scratch\nCOPY --from=REF a b\nRUN --mount=type=bind,from=REF,target=/x ls\n",
    "FROM scratch\nONBUILD COPY --from=REF a b\nCOPPY REF\nLABEL REF\nENV REF \nHEALTHCHECK REF\nSHELL REF\n",
    "# imgref: ignore[REF]\n# imgref: ignore[IMG101] REF\n# imgref: REF\nFROM --platform=REF nginx\n",
    "FROM scratch\nCOPY <<REF /a\nnothing\n",
]
YAML = {
    "compose.yaml": "services:\n  a: {image: REF}\n  b:\n    image: REF\n    build: {additional_contexts: {c: REF}}\n",
    "deployment.yaml": "apiVersion: v1\nkind: Pod\nspec:\n"
    "  containers: [{image: REF}]\n  volumes: [{image: {reference: REF}}]\n",
    "kustomization.yaml": "images: [{name: REF, newName: REF, newTag: REF, digest: REF}]\n",
    ".gitlab-ci.yml": "image: REF\nservices: [REF, {name: REF}]\njob: {script: x, image: {name: REF}}\n",
    ".github/workflows/ci.yml": "jobs:\n  a:\n    container: REF\n"
    "    services: {b: {image: REF}}\n    steps: [{uses: REF}]\n",
    "chart/values.yaml": "image: {repository: REF, tag: REF}\nb: {image: REF}\n",
    ".circleci/config.yml": "jobs: {a: {docker: [{image: REF}]}}\n",
    "cloudbuild.yaml": "steps: [{name: REF}]\nsubstitutions: {_A: REF}\n",
    "bitbucket-pipelines.yml": "image: REF\n",
    ".drone.yml": "kind: pipeline\nsteps: [{image: REF}]\n",
    "broken.compose.yaml": "a: REF\nservices: {a: [REF: *REF\n",
}
JSON_AND_TOML = {
    "daemon.json": '{"insecure-registries": [REF, [REF], {REF: 1}]}',
    "registries.conf": "[[registry]]\nlocation = REF\ninsecure = true\n[[registry]]\nprefix = REF\ninsecure = 1\n"
    "[registries.insecure]\nregistries = [REF, 1]\n",
}
SETTINGS = [
    "[check]\nallowed = [REF]\n",
    "[check]\ndenied = [REF]\n",
    "[check]\ngolden = [REF]\n",
    "[check]\ngolden-scope = REF\n",
    "[check]\ninsecure-registries = [REF]\nexclude = [REF]\n",
    "[check]\nselect = [REF]\n",
    "[check]\nREF = 1\n",
    "[check]\nallowed = {a = REF}\n",
    "[check.per-file-ignores]\nREF = 1\n",
    '[[check.exceptions]]\nimage = "nginx"\nreason = REF\nexpires = 2001-01-01\n',
    "[[check.exceptions]]\nimage = REF\n",
    '[[check.exceptions]]\nimage = "nginx"\nexpires = REF\n',
    "extends = REF\n",
    "[REF]\n",
    "[tags]\nimage = REF\n",
    "[tags]\nscheme = REF\n",
    "[tags]\nexisting = REF\n",
    "[tags]\nsuffix = [REF]\n",
    "a = REF REF\n",
]


def run(*arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None) -> str:
    """Run a command and return everything that it prints."""
    out, err = io.StringIO(), io.StringIO()
    source = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch("sys.stdin", source),
        mock.patch.dict(os.environ, environ or {}),
        pytest.raises(SystemExit) as ended,
    ):
        main(list(arguments))
    assert ended.value.code in (0, 1, 2, 3, 4)
    assert "Traceback" not in err.getvalue()
    return out.getvalue() + err.getvalue()


@pytest.fixture(scope="module", autouse=True)
def _nowhere() -> Iterator[None]:
    """Begin every test in an empty directory, which is the home as well."""
    with (
        tempfile.TemporaryDirectory() as directory,
        contextlib.chdir(directory),
        mock.patch.dict(os.environ, {"HOME": directory, "NO_COLOR": "1"}),
    ):
        yield


def check_everything(name: str, content: str) -> None:
    """Check one file in every format and way."""
    with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
        file = Path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        if name.startswith("chart/"):
            Path("chart/Chart.yaml").write_text("name: a\n", encoding="utf-8")
        if name == ".imgref.toml":
            Path("Dockerfile").write_text("FROM nginx\n", encoding="utf-8")
        said = run("check", "--select=ALL", "--write-baseline=base.json", "--show-unresolved", name)
        baseline = Path("base.json").read_text(encoding="utf-8") if Path("base.json").exists() else ""
        assert MARK not in said + baseline
        for style in ("full", "concise", "json", "github", "gitlab", "sarif"):
            printed = run("check", "--select=ALL", f"--format={style}", "--show-unresolved")
            assert MARK not in printed, style
        for style in ("concise", "json"):
            assert MARK not in run("check", "--show-references", "--show-unresolved", f"--format={style}")


@settings(max_examples=examples(0.8))
@given(st.sampled_from(DOCKERFILES), references(PASSWORDS))
def test_check_prints_no_credentials_from_dockerfiles(template: str, reference: str) -> None:
    check_everything("Dockerfile", template.replace("REF", reference))


@settings(max_examples=examples(0.8))
@given(st.sampled_from([*YAML.items(), *JSON_AND_TOML.items()]), references(QUOTED_PASSWORDS))
def test_check_prints_no_credentials_from_yaml_json_and_toml(file: tuple[str, str], reference: str) -> None:
    name, template = file
    check_everything(name, template.replace("REF", json.dumps(reference)))


@settings(max_examples=examples(0.8))
@given(st.sampled_from(SETTINGS), references(QUOTED_PASSWORDS))
def test_check_and_tags_print_no_credentials_from_settings(template: str, reference: str) -> None:
    content = template.replace("REF", json.dumps(reference))
    check_everything(".imgref.toml", content)
    with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
        Path(".imgref.toml").write_text(content, encoding="utf-8")
        assert MARK not in run("tags", "1.2.3") + run("tags", "1.2.3", "--show-config")


COMMANDS = [
    ["parse", "{}"],
    ["parse", "--format=json", "{}"],
    ["parse", "--field=input", "{}"],
    ["parse", "app", "--default-registry={}"],
    ["parse", "app", "--to-registry={}"],
    ["parse", "app", "--default-tag={}"],
    ["parse", "--strict", "{}"],
    ["parse", "app", "--format={}"],
    ["{}"],
    ["--{}"],
    ["check", "{}"],
    ["check", "--config={}"],
    ["check", "--baseline={}"],
    ["check", "--select={}"],
    ["check", "--platform={}"],
    ["check", "--max-size={}"],
    ["check", "--stdin-filename={}"],
    ["check", "-", "--stdin-filename={}"],
    ["check", "--build-arg=={}"],
    ["explain", "{}"],
    ["tags", "{}"],
    ["tags", "1.2.3", "--image={}"],
    ["tags", "1.2.3", "--existing={}"],
    ["tags", "1.2.3", "--prefix={}"],
    ["tags", "1.2.3", "--suffix={}"],
    ["tags", "1.2.3", "--labels", "--source={}"],
    ["tags", "1.2.3", "--labels", "--revision={}"],
    ["tags", "1.2.3", "--labels", "--source={}", "--format=json"],
    ["tags", "1.2.3", "--labels", "--source={}", "--format=args"],
    ["tags", "1.2.3", "--labels", "--source={}", "--format=bake"],
    ["tags", "1.2.3", "--format=bake", "--bake-target={}"],
    ["ls", "{}"],
    ["ls", "localhost:1/app", "--insecure={}"],
    ["ls", "localhost:1/app", "--cacert={}"],
    ["ls", "localhost:1/app", "--range={}"],
    ["ls", "localhost:1/app", "--since={}"],
    ["which", "{}", "localhost:1/app"],
    ["digest", "{}", "-vv"],
    ["inspect", "{}"],
    ["tag", "localhost:1/app", "{}"],
    ["tag", "{}", "new"],
    ["copy", "{}", "localhost:1/app"],
    ["copy", "localhost:1/app", "{}"],
    ["copy", "localhost:1/app", "localhost:1/b", "--mount-from={}"],
    ["push", "{}", "localhost:1/app"],
    ["push", "nothing.tar", "{}"],
    ["pull", "{}", "x"],
    ["release", "{}", "1.2.3"],
    ["release", "nothing.tar", "1.2.3", "--image={}"],
    ["login", "{}", "-u", "ada"],
    ["logout", "{}"],
    ["info", "--insecure={}"],
    ["info", "--insecure={}", "--format=json"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@settings(max_examples=examples(0.5))
@given(reference=references(QUOTED_PASSWORDS))
def test_command_prints_no_credentials_from_its_arguments(command: list[str], reference: str) -> None:
    printed = run(*(word.replace("{}", reference) for word in command), stdin=reference)
    assert MARK not in printed


@given(st.lists(references(QUOTED_PASSWORDS), min_size=1, max_size=4), st.sampled_from(["text", "json", "table"]))
def test_parse_prints_no_credentials_from_standard_input(lines: list[str], style: str) -> None:
    assert MARK not in run("parse", "-", f"--format={style}", stdin="\n".join(lines))


VARIABLES = [
    ({"IMGREF_INSECURE_REGISTRIES": "{}"}, "info"),
    ({"IMGREF_REGISTRY": "{}", "IMGREF_USERNAME": "u", "IMGREF_PASSWORD": MARK}, "info"),
    ({"IMGREF_REGISTRY": "{}", "IMGREF_USERNAME": "u"}, "info"),
    ({"HTTPS_PROXY": "{}", "HTTP_PROXY": "{}", "NO_PROXY": "{}"}, "info"),
    ({"DOCKER_CONFIG": "{}"}, "info"),
    ({"REGISTRY_AUTH_FILE": "{}"}, "info"),
    ({"CONTAINERS_REGISTRIES_CONF": "{}"}, "info"),
    ({"SOURCE_DATE_EPOCH": "{}"}, "tags 1.2.3 --labels"),
    ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "{}", "GITHUB_SERVER_URL": "{}", "GITHUB_REPOSITORY": "{}"}, "ci"),
    ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/tags/{}", "GITHUB_SHA": "{}"}, "tags --ci"),
    ({"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "{}", "CI_PROJECT_URL": "{}", "CI_COMMIT_SHA": "{}"}, "ci"),
    ({"GITLAB_CI": "true", "CI_COMMIT_TAG": "1.2.3", "CI_PROJECT_URL": "{}"}, "tags --ci --labels"),
    ({"JENKINS_URL": "x", "GIT_BRANCH": "{}", "GIT_URL": "{}", "GIT_COMMIT": "{}"}, "ci --format=json"),
    ({"GITHUB_OUTPUT": "{}"}, "tags 1.2.3 --format=github"),
]


@pytest.mark.parametrize(("variables", "command"), VARIABLES, ids=[" ".join(variables) for variables, _ in VARIABLES])
@settings(max_examples=examples(0.5))
@given(reference=references(QUOTED_PASSWORDS))
def test_command_prints_no_credentials_from_variables(variables: dict[str, str], command: str, reference: str) -> None:
    environ = {name: value.replace("{}", reference) for name, value in variables.items()}
    assert MARK not in run(*command.split(), environ=environ)


class _Repeating(BaseHTTPRequestHandler):
    """A registry that repeats what it is sent, in all that it answers."""

    evil: ClassVar[str] = ""

    def do_GET(self) -> None:
        if self.path == "/v2/":
            self.send_response(200)
            self.end_headers()
            return
        body = json.dumps({"errors": [{"code": "DENIED", "message": self.evil}], "tags": [self.evil]}).encode()
        self.send_response(200 if "tags" in self.path else 403)
        self.send_header("Link", f'<{self.evil}>; rel="next"')
        self.send_header("Location", self.evil)
        self.send_header("Docker-Content-Digest", self.evil)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815 - as http.server has it

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Repeating) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


COMMANDS_OF_A_REGISTRY = [
    *(f"{command} -vv" for command in ("ls REPO", "ls --long REPO", "which REPO", "digest REPO", "inspect REPO")),
    "tag REPO:1 new -vv",
]


@pytest.mark.parametrize("command", COMMANDS_OF_A_REGISTRY)
@settings(max_examples=examples(0.3))
@given(reference=references(PASSWORDS))
def test_command_prints_no_credentials_and_no_controls_from_a_registry(
    registry: str, command: str, reference: str
) -> None:
    pytest.importorskip("urllib3")
    _Repeating.evil = f"http://{reference}\x1b[2J\x9b"
    printed = run(*command.replace("REPO", f"{registry}/app").split())
    assert MARK not in printed
    assert printed.replace("\n", "").isprintable()
