"""The help of commands: options under headings, and examples at the end."""

from __future__ import annotations

from typing import Final

import click

__all__ = ["EXAMPLES", "HEADINGS", "Command"]

HEADINGS: Final = {
    "Build": (
        "--ci",
        "--ref",
        "--event",
        "--pr",
        "--commit",
        "--git",
        "--any-tag",
        "--sha",
        "--default-branch",
        "--match",
    ),
    "Policy": (
        "--config",
        "--enforce",
        "--select",
        "--ignore",
        "--fail-on",
        "--baseline",
        "--write-baseline",
        "--min-age",
        "--pre",
    ),
    "Output": (
        "--format",
        "--field",
        "--quiet",
        "--full",
        "--group-by",
        "--statistics",
        "--show-references",
        "--show-unresolved",
        "--show-skipped",
        "--show-config",
        "--exit-zero",
        "--bake-target",
        "--labels",
        "--label",
        "--annotation",
        "--source",
        "--revision",
        "--diff",
    ),
    "Registry": ("--insecure", "--cacert", "--timeout", "--jobs", "--verbose"),
}
"""The headings below "Options", and the options that each has in every command."""

EXAMPLES: Final = {
    "parse": (
        "imgref parse diamol/golang",
        "imgref parse --field registry --field tag ghcr.io/acme/app:1",
        "cat images.txt | imgref parse --format json -",
    ),
    "tags": (
        "imgref tags 2.1.3",
        "imgref tags 2.1.3 --existing git --image ghcr.io/acme/app",
        "imgref tags --ci --format github",
    ),
    "check": (
        "imgref check",
        "imgref check --select IMG1 Dockerfile deploy",
        "imgref check --format sarif > imgref.sarif",
    ),
    "unpin": ("imgref unpin --diff", "imgref unpin Dockerfile"),
    "ci": ("imgref ci", "imgref ci --format json"),
    "slug": ("imgref slug feature/login",),
    "ls": (
        "imgref ls ghcr.io/acme/app",
        "imgref ls --long --range '^1.2' nginx",
        "imgref ls --variant alpine --limit 5 nginx",
    ),
    "exists": ("imgref exists ghcr.io/acme/app:2.1.3",),
    "which": ("imgref which nginx:latest", "imgref which --format json nginx:alpine"),
    "digest": ("imgref digest nginx:1.27", "imgref digest --platform linux/arm64 nginx:1.27"),
    "inspect": ("imgref inspect nginx:1.27", "imgref inspect --platform linux/arm64 --format json nginx:1.27"),
    "tag": ("imgref tag ghcr.io/acme/app:2.1.3 stable", "imgref tag --dry-run ghcr.io/acme/app:2.1.3 2.1 2"),
    "push": ("imgref push app.tar ghcr.io/acme/app:2.1.3", "docker save app | imgref push - ghcr.io/acme/app:2.1.3"),
    "pull": ("imgref pull nginx:1.27 nginx.tar", "imgref pull --platform linux/arm64 nginx:1.27 - | docker load"),
    "copy": (
        "imgref copy nginx:1.27 registry.local:5001/mirror/nginx:1.27",
        "imgref copy --referrers ghcr.io/acme/app:2.1.3 registry.local:5001/app:2.1.3",
    ),
    "release": (
        "imgref release ghcr.io/acme/app:build-7 2.1.3",
        "imgref release app.tar 2.1.3 --image ghcr.io/acme/app",
        "imgref release --dry-run ghcr.io/acme/app:build-7 2.1.3",
    ),
    "prune": (
        "imgref prune registry.local:5001/app --keep semver:5 --older-than 90d",
        "imgref prune registry.local:5001/app --pr-tags --yes",
    ),
    "login": ("imgref login ghcr.io", 'printf %s "$TOKEN" | imgref login ghcr.io --username ci --password-stdin'),
    "logout": ("imgref logout ghcr.io",),
    "info": ("imgref info", "imgref info --format json"),
}
"""Command lines for the help of commands whose description has none."""


class Command(click.Command):
    """A command whose help has options under headings, and examples."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, each under its heading."""
        groups: dict[str, list[tuple[str, str]]] = {"Options": [], **{heading: [] for heading in HEADINGS}}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                groups[_heading(parameter)].append(record)
        for heading, records in groups.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        examples = EXAMPLES.get(ctx.command_path.removeprefix("imgref "), ())
        if examples:
            with formatter.section("Examples"):
                for example in examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
        super().format_epilog(ctx, formatter)


def _heading(parameter: click.Parameter) -> str:
    return next((heading for heading, names in HEADINGS.items() if not {*names}.isdisjoint(parameter.opts)), "Options")
