"""What ``imgref check --online`` asks registries for the rules that use the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from imgref.archive.manifest import DOCKER_MANIFEST, OCI_MANIFEST, Descriptor
from imgref.check.online import Questions, questions
from imgref.check.policy import Policy
from imgref.check.rules import Answer
from imgref.check.runner import Options, check
from imgref.check.settings import Policies
from imgref.check.tasks import Task
from imgref.cli._check_options import Request
from imgref.cli._jobs import lookups
from imgref.cli._lookups import Lookups
from imgref.cli._registry import ClientOptions
from imgref.cli._update_policy import read_update_policy
from imgref.config import load_config
from imgref.reference import ImageReference, parse
from imgref.update.moving import Outlook, Question, outlooks
from imgref.update.registry import Failed

__all__ = ["ask_registries"]

_DRIFT, _MISSING, _OUTDATED, _PLATFORM = "IMG601", "IMG602", "IMG603", "IMG604"
_IMAGE_TYPES: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})


def ask_registries(
    request: Request, tasks: Sequence[Task], policies: Policies, options: Options
) -> tuple[list[Policy], dict[str, str]]:
    """Return the policies with the answers of registries, and the failed questions, each with the reason.

    Args:
        request: the options.
        tasks: the files.
        policies: their policies.
        options: how the files are read.
    """
    listed = check(tasks, policies.found, replace(options, checking=False, keep=True))
    wanted = questions(tasks, listed, policies.found)
    client = ClientOptions(request.insecure, request.cacert, request.timeout, request.verbose)
    with lookups(client, request.jobs) as registry:
        moves = _outlooks(request, wanted, policies, registry)
        pins = [[_Pin(ref, codes, registry) for ref, codes in asked.items()] for asked in wanted]
        _look_up([pin for one in pins for pin in one], registry)
        answered = [
            {pin.ref: _answer(pin, outlook.get(pin.ref)) for pin in one}
            for one, outlook in zip(pins, moves, strict=True)
        ]
        failures = dict(registry.failures)
    found = [replace(policy, answers=answers) for policy, answers in zip(policies.found, answered, strict=True)]
    return found, failures


def _outlooks(
    request: Request, wanted: Sequence[Questions], policies: Policies, registry: Lookups
) -> list[Mapping[ImageReference, Outlook]]:
    """Return what there is for each image of each policy, by the update settings beside it."""
    asked: list[dict[ImageReference, Question]] = []
    for number, refs in enumerate(wanted):
        rules = read_update_policy(load_config(_settings_file(request, policies, number)))
        asked.append(
            {
                ref: Question(ref.with_tag(ref.tag), rule)
                for ref, codes in refs.items()
                if _OUTDATED in codes and ref.tag is not None and (rule := rules.rule_for(ref)).level is not None
            }
        )
    found = outlooks((question for one in asked for question in one.values()), registry, datetime.now(UTC))
    return [{ref: found[question] for ref, question in one.items()} for one in asked]


def _settings_file(request: Request, policies: Policies, number: int) -> Path | None:
    file = request.config if request.enforce is None else request.enforce
    return policies.file(number) if file is None else Path(file)


@dataclass(frozen=True, slots=True)
class _Pin:
    """An image and the rules that ask about it, with what was found out."""

    ref: ImageReference
    codes: frozenset[str]
    registry: Lookups

    @property
    def by_tag(self) -> ImageReference | None:
        """What to ask for the tag, or None if no rule asks for it."""
        pinned = self.ref.digest is not None
        wanted = self.codes & ({_DRIFT, _MISSING, _PLATFORM} if pinned else {_MISSING})
        return self.ref.with_tag(self.ref.tag) if self.ref.tag is not None and wanted else None

    @property
    def by_digest(self) -> ImageReference | None:
        """What to ask for the digest: nothing if the tag points to it, so that it exists."""
        if self.ref.digest is None or not self.codes & {_DRIFT, _MISSING, _PLATFORM}:
            return None
        tag = self.tag
        if tag is not None and (tag.digest == self.ref.digest if not isinstance(tag, Failed) else not tag.missing):
            return None
        return parse(f"{self.ref.repository}@{self.ref.digest}", default_tag=None)

    @property
    def index(self) -> ImageReference | None:
        """The index that may list the pinned digest, or None."""
        tag, pinned = self.tag, self.pinned
        if tag is None or pinned is None or isinstance(tag, Failed) or isinstance(pinned, Failed):
            return None
        return self.by_tag if tag.is_index and not pinned.is_index and _DRIFT in self.codes else None

    @property
    def tag(self) -> Descriptor | Failed | None:
        """What the tag points to."""
        return None if self.by_tag is None else self.registry.descriptors([self.by_tag])[self.by_tag]

    @property
    def pinned(self) -> Descriptor | Failed | None:
        """What the digest is."""
        return None if self.by_digest is None else self.registry.descriptors([self.by_digest])[self.by_digest]

    def answer(self) -> Answer:
        """Return what the rules about pins need to know."""
        tag, pinned = self.tag, self.pinned
        missing = " and ".join(
            f"the {what} does not exist"
            for what, one in ((f"tag {self.ref.tag!r}", tag), (f"digest {self.ref.digest}", pinned))
            if isinstance(one, Failed) and one.missing
        )
        if any(isinstance(one, Failed) and not one.missing for one in (tag, pinned)):
            # It is known that one of the two is missing even if the request for the other failed.
            return Answer(frozenset({_MISSING} if missing else ()), missing or None)
        known = frozenset({_DRIFT, _MISSING, _PLATFORM})
        if tag is None or isinstance(tag, Failed) or self.by_digest is None:
            return Answer(known, missing or None)
        is_image = pinned is not None and not isinstance(pinned, Failed) and pinned.media_type in _IMAGE_TYPES
        moved: str | None = tag.digest
        if self.index is not None:
            children = self.registry.children([self.index])[self.index]
            if isinstance(children, Failed):
                known -= {_DRIFT}
                moved = None
            elif self.ref.digest in children:
                moved = None
        return Answer(known, missing or None, moved, tag.is_index and is_image)


def _look_up(pins: Sequence[_Pin], registry: Lookups) -> None:
    """Ask about all images: first their tags, then the digests that these do not point to, then indexes."""
    registry.descriptors([ref for pin in pins if (ref := pin.by_tag) is not None])
    registry.descriptors([ref for pin in pins if (ref := pin.by_digest) is not None])
    registry.children([ref for pin in pins if (ref := pin.index) is not None])


def _answer(pin: _Pin, outlook: Outlook | None) -> Answer:
    answer = pin.answer()
    if outlook is None or outlook.failed is None or outlook.failed.missing:
        answer = replace(answer, known=answer.known | {_OUTDATED}, newer=outlook.allowed if outlook else None)
    return replace(answer, known=answer.known & pin.codes)
