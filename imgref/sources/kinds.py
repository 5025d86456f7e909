"""The kinds of files in which imgref finds references: one row for each.

To add a kind, write a module with its reader (see :mod:`imgref.sources.contract`) and add a row here. The options of
the commands, the table in docs/check.md and the pre-commit hook follow from the rows, or a test fails until they do.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

from imgref.sources._lines import TextLines
from imgref.sources.kind import Kind
from imgref.sources.object_kinds import OBJECTS
from imgref.sources.syntax import DOCKERFILE, GROOVY, HCL, JSON, JSONC, TOML, UNIT, YAML, Syntax

__all__ = ["KINDS", "Kind", "lines_of", "loaded", "syntax_of"]


_CODE: Final = (
    "{7z,asc,bash,bat,bz2,c,cc,cfg,cmd,conf,cpp,cs,css,csv,diff,el,env,fish,gif,go,gz,h,hcl,hpp,htm,html,ini,ipynb,java,"
    "jpeg,jpg,js,json,jsx,kt,lock,log,lua,md5,mjs,nanorc,patch,pdf,php,pl,plist,png,properties,ps1,py,pyc,pyi,rb,rej,rs,scss,sh,sha1,"
    "sha256,sha512,sig,snap,sql,svg,swift,tar,tf,tgz,tmlanguage,tmpreferences,tmsnippet,toml,ts,tsx,txt,vim,webp,xml,xz,yaml,yml,zig,zip,zsh,zst}"
)
"""Endings of programs, data and archives about Dockerfiles, and also of Dockerfiles for a language: content decides."""

_OTHER: Final = (
    "*.{dockerignore,adoc,ejs,erb,gotmpl,hbs,in,j2,jinja,jinja2,m4,md,mustache,rst,template,tmpl,tpl}",
    "*{~,.bak,.backup,.orig,.save,.swo,.swp,.tmp}",
)
"""Templates, documentation, and copies that editors leave behind: they look like a Dockerfile inside, too."""

_ROWS: Final = (
    Kind(
        "dockerfile",
        "Dockerfile",
        "`FROM`, `COPY --from`, `RUN --mount=…from=`, also after `ONBUILD`; `# syntax=`",
        DOCKERFILE,
        "dockerfile.reader:read",
        names=("{Docker,Container}file", "{Docker,Container}file{.,-}*", "*.{Docker,Container}file"),
        lookalikes=_OTHER,
        unsure=(f"*.{_CODE}",),
        maybe=("{Docker,Container}file_*",),
        test="dockerfile.probe:is_dockerfile",
        content="`FROM` or `ARG` as the first instruction",
        examples=("Dockerfile", "a/Dockerfile.dev", "Containerfile", "x.dockerfile", "Dockerfile-x", "Dockerfile.php"),
    ),
    *OBJECTS,
    Kind(
        "azure-pipelines",
        "Azure Pipelines",
        "`resources.containers`, `container` and `services` of jobs, `containers` of a template",
        YAML,
        "yaml.azure_pipelines:read",
        names=("azure-pipelines*.yaml", ".{azure-pipelines,vsts-ci}/**/*.yaml"),
        test="yaml.azure_pipelines:is_azure",
        content="`resources.containers`, `extends.template`, or `jobs` or `stages` that are a list",
        hints=("- job:", "- deployment:", "- stage:", "- template:"),
        needs=("container:", "containers:", "services:"),
        takes_tag_and_digest=False,
        examples=("azure-pipelines.yml", ".azure-pipelines/a/b.yaml", ".vsts-ci/linux.yml"),
    ),
    Kind(
        "buildkite",
        "Buildkite",
        "`image` of steps and of the plugins `docker` and `kubernetes`",
        YAML,
        "yaml.buildkite:read",
        names=(".buildkite/**/*.yaml",),
        needs=("image:",),
        takes_tag_and_digest=False,
        examples=(".buildkite/pipeline.yml", ".buildkite/a/b.yaml"),
    ),
    Kind(
        "ansible",
        "Ansible",
        "`image` and `name` of the modules for Docker and Podman, the `definition` of `k8s`",
        YAML,
        "yaml.ansible:read",
        test="yaml.ansible:is_ansible",
        content="a list of plays or tasks with such a module",
        hints=("docker_image", "docker_container", "podman_", "k8s:"),
        needs=("docker_", "podman_", "k8s"),
        takes_tag_and_digest=False,
        examples=("playbook.yml",),
    ),
    Kind(
        "drone",
        "Drone",
        "`image` of `steps`, `services` and `clone`",
        YAML,
        "yaml.other_ci:read_drone",
        names=(".drone*.yaml",),
        test="yaml.content:is_drone",
        content="`kind: pipeline` and `steps`",
        needs=("image:",),
        examples=(".drone.yml",),
    ),
    Kind(
        "woodpecker",
        "Woodpecker",
        "`image` of `steps`, `services` and `clone`",
        YAML,
        "yaml.other_ci:read_drone",
        names=(".woodpecker/**/*.yaml", ".woodpecker*.yaml"),
        test="yaml.content:is_woodpecker",
        content="`steps` with `image` and `commands` or `settings`",
        needs=("image:",),
        examples=(".woodpecker.yaml", ".woodpecker/a/b.yml"),
    ),
    Kind(
        "compose",
        "Compose",
        "`services.*.image`, `x-*` fragments, `docker-image://` contexts, image volumes",
        YAML,
        "yaml.compose:read",
        names=("{docker-,}compose*.yaml",),
        test="yaml.compose:has_services",
        content="a top-level map `services` of maps",
        needs=("image", "build:"),
        signs=("services:",),
        examples=("compose.yaml", "docker-compose.prod.yml"),
    ),
    Kind(
        "github-actions",
        "GitHub Actions",
        "`container`, `container.image`, `services.*.image`, with the values of a matrix behind them; `uses: docker://`",
        YAML,
        "yaml.github_actions:read",
        names=(".{github,gitea,forgejo}/workflows/*.yaml", "action.yaml"),
        test="yaml.content:is_github_actions",
        content="`jobs` with `runs-on`, or `runs.using`",
        hints=("runs-on", "docker://"),
        needs=("image:", "container:", "docker://"),
        examples=(".github/workflows/ci.yml", "action.yaml"),
    ),
    Kind(
        "circleci",
        "CircleCI",
        "`image` of `docker` lists in jobs, executors and orbs",
        YAML,
        "yaml.other_ci:read_circleci",
        names=(".circleci/**/*.yaml",),
        test="yaml.content:is_circleci",
        content="`jobs` or `executors` with `docker`",
        needs=("image:",),
        examples=(".circleci/config.yml",),
    ),
    Kind(
        "bitbucket",
        "Bitbucket Pipelines",
        "`image`, `image.name`, `pipe: docker://`",
        YAML,
        "yaml.other_ci:read_bitbucket",
        names=("bitbucket-pipelines.yaml",),
        test="yaml.content:is_bitbucket",
        content="`pipelines` with `default`, `branches` and so on",
        needs=("image:", "docker://"),
        examples=("bitbucket-pipelines.yml",),
    ),
    Kind(
        "gitlab-ci",
        "GitLab CI",
        "`image`, `image.name` and `services` at the top level, in `default` and in jobs",
        YAML,
        "yaml.gitlab_ci:read",
        names=(".gitlab/ci/**/*.yaml", "*gitlab-ci*.yaml"),
        test="yaml.content:is_gitlab_ci",
        content="jobs with `script` and what only GitLab has",
        needs=("image:", "services:"),
        examples=(".gitlab-ci.yml", ".gitlab/ci/a/b.yaml"),
    ),
    Kind(
        "cloud-build",
        "Cloud Build",
        "`steps[].name`",
        YAML,
        "yaml.other_ci:read_cloud_build",
        names=(
            "cloudbuild.yaml",
            "cloudbuild{.,_,-}*.yaml",
            "*{.,_,-}cloudbuild.yaml",
            "*{.,_,-}cloudbuild{.,_,-}*.yaml",
        ),
        test="yaml.content:is_cloud_build",
        content="`steps` whose `name` is an image of Google's",
        needs=("name:",),
        signs=("gcr.io/", "docker.pkg.dev/"),
        examples=("cloudbuild.yaml", "ci/cloudbuild-prod.yml"),
    ),
    Kind(
        "helm-values",
        "Helm values",
        "`image`, and maps of `registry` and `repository` with `tag`, `version` or `digest`",
        YAML,
        "yaml.helm:read",
        names=("values*.yaml",),
        beside="Chart.yaml",
        needs=("image:", "repository:", "{{"),
        only=True,
        examples=("chart/values.yaml",),
    ),
    Kind(
        "daemon.json",
        "Docker configuration",
        "none; `insecure-registries`",
        JSON,
        "engine_settings:read_daemon_json",
        names=("daemon.json",),
        configures=True,
        examples=("etc/docker/daemon.json",),
    ),
    Kind(
        "registries.conf",
        "containers configuration",
        "none; registries with `insecure = true`",
        TOML,
        "engine_settings:read_registries_conf",
        names=("registries.conf",),
        configures=True,
        examples=("etc/containers/registries.conf",),
    ),
    Kind(
        "devcontainer",
        "Development containers",
        "`image`, `build.cacheFrom`",
        JSONC,
        "jsonc.devcontainer:read",
        names=("{.,}devcontainer.json",),
        # Its CLI rejects both together: https://github.com/devcontainers/cli/issues/1307
        takes_tag_and_digest=False,
        examples=("devcontainer.json", ".devcontainer.json", ".devcontainer/a/devcontainer.json"),
    ),
    Kind(
        "quadlet",
        "Quadlet",
        "`Image` in `[Container]`, `[Image]` and `[Volume]`; `Mount=type=image,source=…`",
        UNIT,
        "quadlet:read",
        maybe=("*.{container,image,volume,pod,build,kube}", "*.{container,image,volume}.d/*.conf"),
        test="quadlet:is_quadlet",
        content="a section `[Container]`, `[Image]`, `[Volume]`, `[Pod]`, `[Build]` or `[Kube]`",
        examples=("a.container", "b.image", "c.volume", "a.container.d/10-image.conf"),
    ),
    Kind(
        "bake",
        "Bake",
        "`docker-image://` in `contexts` of a target; `generator` of attestations",
        HCL,
        "hcl.bake:read",
        names=("docker-bake*.{hcl,json}",),
        maybe=("*.hcl",),
        test="hcl.bake:is_bake",
        content="a block `target`",
        examples=("docker-bake.hcl", "docker-bake.override.json", "images.hcl"),
    ),
    Kind(
        "terraform",
        "Terraform",
        "`image` of containers in resources and modules, `docker_image`, ECS container definitions, CodeBuild",
        HCL,
        "hcl.terraform:read",
        names=("*.{tf,tofu}{,.json}",),
        ending_only=True,
        takes_tag_and_digest=False,
        examples=("main.tf", "modules/a/main.tf.json", "main.tofu"),
    ),
    Kind(
        "nomad",
        "Nomad",
        "`image` in the `config` of tasks with the driver `docker`, `podman` or `containerd`",
        HCL,
        "hcl.nomad:read",
        names=("*.nomad{,.hcl}",),
        ending_only=True,
        maybe=("*.hcl",),
        test="hcl.nomad:is_nomad",
        content="a block `job`",
        takes_tag_and_digest=False,
        examples=("web.nomad", "web.nomad.hcl", "web.hcl"),
    ),
    Kind(
        "jenkins",
        "Jenkins",
        "`agent { docker … }`, `docker.image(…)`, `containerTemplate`, and `image:` in the YAML of pods",
        GROOVY,
        "groovy.jenkins:read",
        names=("Jenkinsfile*", "*.jenkinsfile"),
        lookalikes=_OTHER,
        maybe=("*.groovy",),
        test="groovy.jenkins:is_pipeline",
        content="`pipeline {` or `node {`",
        takes_tag_and_digest=False,
        examples=("Jenkinsfile", "ci/Jenkinsfile.release", "a.jenkinsfile", "vars/build.groovy"),
    ),
)

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _ROWS}
"""Every kind by its name. Where several would fit, by name or by content, the first one counts."""


@cache
def loaded(function: str) -> Any:  # noqa: ANN401  a row names functions of several protocols
    """Return a function that a row names, such as ``yaml.compose:read``.

    >>> loaded("dockerfile.probe:is_dockerfile")("FROM nginx")
    True
    """
    module, _, name = function.partition(":")
    return getattr(import_module(f"imgref.sources.{module}"), name)


def syntax_of(kind: str) -> Syntax:
    """Return the syntax of the kind that a reading names; what has no row is YAML of no certain kind, or a template."""
    return KINDS[kind].syntax if kind in KINDS else YAML


def lines_of(kind: str, text: str) -> TextLines:
    r"""Return the lines of a file as readers of a kind count them.

    >>> list(lines_of("compose", "a\rb")), list(lines_of("dockerfile", "a\rb"))
    (['a', 'b'], ['a\rb'])
    """
    return TextLines(text, syntax_of(kind).line_end)
