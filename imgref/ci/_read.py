"""Reads a CI system's variables and event file, as :mod:`imgref.ci._systems` describes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from imgref.ci._event_file import EventFile
from imgref.ci._forms import (
    BRANCH_FORMS,
    DEFAULT_BRANCH_NAMES,
    FALSE_WORDS,
    FORMS,
    HEAD_COMMIT,
    MERGE_QUEUE,
    REF_FORMS,
    TAG_FORMS,
)
from imgref.ci._properties import with_properties
from imgref.ci._source_url import source_url
from imgref.ci._system import Event, System
from imgref.errors import UnknownBuild
from imgref.versions import SCHEMES, read_name

__all__ = ["Facts", "is_running", "read_facts"]


@dataclass(slots=True)
class Facts:
    """The facts of a build as they are collected; the first value of each counts."""

    event: str = ""
    values: dict[str, str] = field(default_factory=dict)
    told_by: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)

    def add(self, fact: str, value: str | None, told_by: str) -> None:
        """Keep a value that is not empty, unless the fact is known already."""
        if value and fact not in self.values:
            self.values[fact] = value
            self.told_by[fact] = told_by

    def has(self, *facts: str) -> bool:
        """Return whether any of these facts is known."""
        return any(fact in self.values for fact in facts)


def is_running(system: System, environ: Mapping[str, str]) -> bool:
    """Return whether a marker of the system is set, and not to a word such as ``false``."""
    return all(environ.get(name) for name in system.beside) and any(
        not _is_false(environ.get(name, "")) if value is None else environ.get(name) == value
        for name, value in system.markers
    )


def _is_false(value: str) -> bool:
    return value.strip().lower() in FALSE_WORDS


def read_facts(system: System, environ: Mapping[str, str], default_branch: str | None) -> Facts:
    """Read what is built.

    Args:
        system: the CI system.
        environ: the environment.
        default_branch: the default branch, in case the system does not name it.

    Raises:
        UnknownBuild: the event is not accepted, or what is built cannot be known.
    """
    environ = with_properties(environ, environ.get(system.properties, ""))
    file = EventFile(system, environ)
    event = _event(system, environ, file)
    facts = Facts()
    for variable in system.default_branch:
        facts.add("default_branch", environ.get(variable, "").removeprefix("refs/heads/"), variable)
    facts.add("default_branch", file.text("repository.default_branch"), file.told_by("repository.default_branch"))
    if event.from_file or (event.number and not _ref_names(system, environ, "pull_request")):
        _add_file(facts, system, event, file)
    else:
        _add_variables(facts, system, event, environ)
        if system.primary and environ.get(system.primary) == "true":
            facts.add("default_branch", facts.values.get("branch"), system.primary)
        _add_branch_pull_request(facts, system, environ, default_branch)
        _add_commit(facts, system, environ)
    if facts.has("pull_request"):
        for variable in system.base:
            facts.add("base", environ.get(variable, "").removeprefix("refs/heads/"), variable)
        facts.add("base", file.text("pull_request.base.ref"), file.told_by("pull_request.base.ref"))
    for variable in system.number:
        facts.add("number", environ.get(variable), variable)
    _add_about(facts, system, environ, file)
    _add_source(facts, system, environ)
    facts.event = _kind(facts, system, event, environ)
    return facts


# The event


def _event(system: System, environ: Mapping[str, str], file: EventFile) -> Event:
    value = environ.get(system.event, "")
    event = system.events.get(value)
    if event is None:
        # Without an event, a git tag or pull request is certain, but a branch may be the base of something else.
        if system.only_events and (value or not _ref_names(system, environ, "tag", "pull_request")):
            raise UnknownBuild(_refusal(f"{system.event} {_said(environ, system.event)}", system.events), system.name)
        return Event()
    if event.inner is not None:
        inner = file.value(event.inner)
        known = event.among.get(inner) if isinstance(inner, str) else None
        if known is None:
            what = "has no value" if inner is None else f"is {inner!r}"
            told_by = file.told_by(event.inner)
            raise UnknownBuild(_refusal(f"{system.event} is {value!r}, and {told_by} {what}", event.among), system.name)
        event = known
    _check_file(system, event, file, value)
    return event


def _refusal(what: str, accepted: Iterable[str]) -> str:
    return f"{what}; accepted events: {', '.join(filter(None, accepted))}"


def _check_file(system: System, event: Event, file: EventFile, value: str) -> None:
    """Refuse an event with a condition that the event file does not meet."""
    about = f"the event {value!r} is refused"
    if event.required and not file.value(event.required):
        raise UnknownBuild(f"{about}: {file.told_by(event.required)} has no value", system.name)
    for path, refused in event.refused:
        found = file.value(path)
        if found == refused or (refused is True and found):
            raise UnknownBuild(f"{about}: {file.told_by(path)} is {found!r}, so there is nothing to build", system.name)
    for left, right in event.equal:
        one, other = file.value(left), file.value(right)
        if one is not None and other is not None and one != other:
            raise UnknownBuild(f"{about}: {left} and {right} differ, so it is of another repository", system.name)


def _kind(facts: Facts, system: System, event: Event, environ: Mapping[str, str]) -> str:
    """Return what is built, from the known values and from the kind that the event implies."""
    known = next((fact for fact in ("pull_request", "tag", "branch") if facts.has(fact)), "")
    kind = known.replace("_", "-")
    told_by = facts.told_by.get(known, "")
    if kind == "pull-request":
        pass
    elif event.kind in ("pull-request", "tag") and kind != event.kind:
        what = "the number of the pull request" if event.kind == "pull-request" else "the git tag"
        raise UnknownBuild(f"{system.event} is {environ[system.event]!r}, but {what} is not known", system.name)
    elif event.kind == "merge-group":
        kind, told_by = "merge-group", system.event
    elif kind == "branch" and facts.values["branch"].startswith(MERGE_QUEUE):
        kind = "merge-group"
    elif kind != "tag" and event.kind == "schedule":
        kind, told_by = "schedule", system.event
    if not kind:
        names = [*system.tag, *system.branch, *system.pull_request, *system.branch_pull_request]
        said = ", ".join(f"{name} {_said(environ, name)}" for name in (names if system.tag else system.ref))
        raise UnknownBuild(f"neither a git tag, nor a branch, nor a pull request: {said}", system.name)
    _check_promises(facts, system, environ)
    facts.told_by["event"] = told_by
    return kind


def _check_promises(facts: Facts, system: System, environ: Mapping[str, str]) -> None:
    """Refuse a pull request or git tag without a name, which would otherwise be mistaken for a branch."""
    for variable, fact in system.promises:
        if environ.get(variable, "").lower() not in ("", "false") and not facts.has(fact):
            names = ", ".join(getattr(system, fact) or system.ref)
            what = "the git tag" if fact == "tag" else "the number of the pull request"
            raise UnknownBuild(f"{variable} is {environ[variable]!r}, but {what} is not in {names}", system.name)


def _said(environ: Mapping[str, str], name: str) -> str:
    return "is not set" if name not in environ else "is empty" if not environ[name] else f"is {environ[name]!r}"


# Variables


def _ref_names(system: System, environ: Mapping[str, str], *facts: str) -> bool:
    refs = (_matched(FORMS.get(variable, REF_FORMS), environ.get(variable, "")) for variable in system.ref)
    return any(fact in facts for fact, _ in refs)


def _matched(forms: Iterable[tuple[str, str]], value: str) -> tuple[str, str]:
    """Return the fact that a value names, and the name; both are empty if no form matches."""
    for fact, pattern in forms:
        if found := re.fullmatch(pattern, value, re.DOTALL):
            return fact, found[1]
    return "", ""


def _add_variables(facts: Facts, system: System, event: Event, environ: Mapping[str, str]) -> None:
    _add_first(facts, system.ref, REF_FORMS, environ)
    for variable in system.pull_request:
        facts.add("pull_request", _number(system, environ, variable), variable)
    _add_first(facts, system.tag, TAG_FORMS, environ)
    _add_first(facts, system.branch, BRANCH_FORMS, environ)
    if not facts.has("tag", "branch"):
        _add_first(facts, event.tag_variables, TAG_FORMS, environ)
        _add_first(facts, event.branch_variables, BRANCH_FORMS, environ)


def _add_first(
    facts: Facts, variables: Iterable[str], forms: Iterable[tuple[str, str]], environ: Mapping[str, str]
) -> None:
    """Add what the first of these variables names that names something."""
    for variable in variables:
        fact, name = _matched(FORMS.get(variable, forms), environ.get(variable, ""))
        if fact:
            facts.add(fact, name, variable)
            return


def _number(system: System, environ: Mapping[str, str], variable: str) -> str | None:
    value = environ.get(variable, "")
    if _is_false(value):
        return None
    found = re.fullmatch(r"(?:.*/)?([1-9][0-9]{0,17})/?", value.strip(), re.DOTALL)
    if found is None:
        # Without its number, the pull request would be mistaken for the branch in another variable.
        raise UnknownBuild(f"{variable} is {value!r}, which does not end in the number of a pull request", system.name)
    return found[1]


def _add_branch_pull_request(
    facts: Facts, system: System, environ: Mapping[str, str], default_branch: str | None
) -> None:
    """Add the pull request that is open for the branch, unless the default branch itself was pushed."""
    branch = facts.values.get("branch")
    default = facts.values.get("default_branch", default_branch)
    if facts.has("tag", "pull_request") or (branch is not None and branch == default):
        return
    for variable in system.branch_pull_request:
        number = _number(system, environ, variable)
        if number and default is None and branch in DEFAULT_BRANCH_NAMES:
            raise UnknownBuild(
                f"{variable} names a pull request from the branch {branch!r}, which may be the default branch; "
                "name that with --default-branch",
                system.name,
            )
        facts.add("pull_request", number, variable)


def _add_commit(facts: Facts, system: System, environ: Mapping[str, str]) -> None:
    for variable in HEAD_COMMIT.get(facts.told_by.get("pull_request", ""), system.sha):
        facts.add("sha", _commit(environ.get(variable, "")), variable)


def _commit(value: str) -> str | None:
    return value if re.fullmatch("[0-9a-fA-F]{7,64}", value) and value.strip("0") else None


def _add_source(facts: Facts, system: System, environ: Mapping[str, str]) -> None:
    for template in system.source:
        names = re.findall(r"\{([\w.]+)\}", template)
        if not all(environ.get(name) for name in names):
            continue
        variables = ", ".join(names)
        address = _address(system, template, environ)
        if address is None:
            facts.notes.append(f"no source: the host of the repository is not known from {names[0]}")
            continue
        url = source_url(address)
        facts.add("source", url, variables)
        if url is None:
            # The value may contain credentials.
            facts.notes.append(f"no source: {variables} is not an address that can be given as an http or https URL")


_ABOUT: Final = {
    "title": "repository.name",
    "description": "repository.description",
    "url": "repository.html_url",
    "licenses": "repository.license.spdx_id",
}
"""What the event file contains about the repository."""


def _add_about(facts: Facts, system: System, environ: Mapping[str, str], file: EventFile) -> None:
    for key, variable in system.about.items():
        if environ.get(variable):
            facts.about[key] = environ[variable]
    for key, path in _ABOUT.items():
        value = file.text(path)
        if value and value != "NOASSERTION":
            facts.about.setdefault(key, value)


def _address(system: System, template: str, environ: Mapping[str, str]) -> str | None:
    """Return the address with the variables' values, or None where a value means no known host."""
    if not system.source_hosts:
        return re.sub(r"\{([\w.]+)\}", lambda found: environ[found[1]], template)
    variable, *others = re.findall(r"\{([\w.]+)\}", template)
    host = system.source_hosts.get(environ[variable])
    return host and template.replace(f"{{{variable}}}", host).format_map({name: environ[name] for name in others})


# The event file


def _add_file(facts: Facts, system: System, event: Event, file: EventFile) -> None:
    """Add what is built according to the event file; the variables describe something else."""
    for path in event.number:
        facts.add("pull_request", file.number(path), file.told_by(path))
    if event.number and not facts.has("pull_request"):
        raise UnknownBuild(
            f"{system.event_file} does not name a file with the pull request's number ({', '.join(event.number)})",
            system.name,
        )
    if event.branch is not None:
        branch = file.text(event.branch)
        if branch is None:
            raise UnknownBuild(f"{file.told_by(event.branch)} has no value", system.name)
        if _may_be_git_tag(branch):
            raise UnknownBuild(
                f"{file.told_by(event.branch)} is {branch!r}, which may be a branch or a git tag", system.name
            )
        facts.add("branch", branch, file.told_by(event.branch))
    if event.sha is not None:
        facts.add("sha", _commit(file.text(event.sha) or ""), file.told_by(event.sha))


def _may_be_git_tag(name: str) -> bool:
    return re.search("[0-9][.][0-9]", name) is not None or any(read_name(name, scheme) for scheme in SCHEMES)
