"""Moving tags to newer ones, and digests with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from imgref.reference import ImageReference
from imgref.update.choose import choose_newer
from imgref.update.edits import Refused, Wanted, texts_for
from imgref.update.pinning import by_tag, unanswered
from imgref.update.plan import Decision, Left, Plan, Spot, make_plan
from imgref.update.policy import Rule
from imgref.update.registry import Failed, Registry
from imgref.update.tag_parts import read_tag

__all__ = ["Outlook", "Question", "outlooks", "plan_update"]

_TRIES: Final = 10
"""How many candidates are checked for their age before a tag is held."""

_NO_TAG: Final = "it has only a digest, and no tag"
_NO_VERSION: Final = "its tag has no version"


class Question(NamedTuple):
    """An image, and the rule by which it may move."""

    ref: ImageReference
    rule: Rule


@dataclass(frozen=True, slots=True)
class Outlook:
    """What there is for an image.

    Attributes:
        allowed: the newest tag that the rule allows, or None if nothing newer is.
        newest: the newest tag at any level, or None if nothing newer is.
        reason: why nothing is allowed, or an empty string where the tag is the newest.
        created: when the allowed image was created, if that was requested.
        failed: why nothing is known.
    """

    allowed: str | None = None
    newest: str | None = None
    reason: str = ""
    created: datetime | None = None
    failed: Failed | None = None


def outlooks(questions: Iterable[Question], registry: Registry, now: datetime) -> dict[Question, Outlook]:
    """Return what is available for each image: the tags of every repository are listed once.

    Args:
        questions: images by tag, without digest.
        registry: answers.
        now: the time that ages are counted from.
    """
    found: dict[Question, Outlook] = {}
    asked = []
    for question in dict.fromkeys(questions):
        if question.ref.tag is None or read_tag(question.ref.tag) is None:
            found[question] = Outlook(reason=_NO_TAG if question.ref.tag is None else _NO_VERSION)
        else:
            asked.append(question)
    tags = registry.tags(list(dict.fromkeys(question.ref.repository for question in asked)))
    waiting: dict[Question, tuple[str, ...]] = {}
    for question in asked:
        listed = tags[question.ref.repository]
        if isinstance(listed, Failed):
            found[question] = Outlook(failed=listed)
        else:
            waiting[question] = listed
    return found | _chosen(waiting, registry, now)


def _chosen(waiting: Mapping[Question, tuple[str, ...]], registry: Registry, now: datetime) -> dict[Question, Outlook]:
    found: dict[Question, Outlook] = {}
    young: dict[Question, list[str]] = {question: [] for question in waiting}
    for _ in range(_TRIES):
        choices = {
            question: _outlook(question, tags, young[question])
            for question, tags in waiting.items()
            if question not in found
        }
        images = {
            question: question.ref.with_tag(one.allowed)
            for question, one in choices.items()
            if one.allowed is not None and question.rule.min_age
        }
        ages = registry.created(list(dict.fromkeys(images.values()))) if images else {}
        for question, one in choices.items():
            created = ages[images[question]] if question in images else None
            if isinstance(created, Failed):
                found[question] = Outlook(newest=one.newest, failed=created)
            elif one.allowed is None or not question.rule.min_age or _is_old(created, question.rule.min_age, now):
                found[question] = Outlook(one.allowed, one.newest, one.reason, created)
            else:
                young[question].append(_too_young(one.allowed, created))
        if len(found) == len(waiting):
            break
    for question in waiting.keys() - found.keys():
        found[question] = Outlook(reason=young[question][0])
    return found


def _outlook(question: Question, tags: Sequence[str], young: Sequence[str]) -> Outlook:
    """Choose among the tags that are not known to be too young."""
    current, rule = question.ref.tag or "", question.rule
    passed = {reason.partition(" ")[0] for reason in young}
    newest = choose_newer(current, tags, "major", pre=rule.pre).tag
    if rule.level is None:
        return Outlook(None, newest)
    kept = [tag for tag in tags if tag not in passed]
    choice = choose_newer(current, kept, rule.level, pre=rule.pre, within=rule.within)
    reason = ""
    if choice.tag is None:
        held = f"{choice.held[0]} is held: its numbers do not fit the other tags" if choice.held else ""
        reason = young[0] if young else {"unknown": _NO_VERSION, "held": held}.get(choice.reason or "", "")
    return Outlook(choice.tag, newest, reason)


def _is_old(created: datetime | None, least: timedelta, now: datetime) -> bool:
    return created is not None and now - created >= least


def _too_young(tag: str, created: datetime | None) -> str:
    return f"{tag} is of unknown age" if created is None else f"{tag} is too new: created {created:%Y-%m-%d %H:%M}"


def plan_update(
    spots: Iterable[Spot],
    left: Iterable[Left],
    registry: Registry,
    rule_for: Callable[[Spot], Rule],
    now: datetime,
) -> Plan:
    """Plan to move tags to newer ones, and digests with them.

    Args:
        spots: the references.
        left: those that are left alone already.
        registry: answers.
        rule_for: the rule for a reference.
        now: the time that ages are counted from.
    """
    spots = tuple(spots)
    fixed = {id(spot): reason for spot in spots if (reason := _why_fixed(spot)) is not None}
    questions = {
        id(spot): Question(by_tag(spot.ref), rule_for(spot))
        for spot in spots
        if id(spot) not in fixed and spot.ref.tag is not None
    }
    found = {question: Outlook() for question in questions.values() if question.rule.level is None}
    found |= outlooks((question for question in questions.values() if question not in found), registry, now)
    targets = {
        key: question.ref.with_tag(found[question].allowed or question.ref.tag or "")
        for key, question in questions.items()
        if found[question].failed is None
    }
    pinned = {id(spot) for spot in spots if spot.ref.digest is not None}
    digests = registry.digests(list(dict.fromkeys(ref for key, ref in targets.items() if key in pinned)))
    decisions = []
    young = _young_digests(spots, questions, targets, digests, registry, now)
    for spot in spots:
        key = id(spot)
        if key in fixed:
            decision = Decision(None, "fixed", fixed[key])
        elif key not in questions:
            decision = Decision(None, "fixed", _NO_TAG)
        else:
            decision = _decide(spot, found[questions[key]], targets.get(key), digests, young.get(key, ""))
        decisions.append((spot, decision))
    return make_plan(decisions, tuple(left))


def _why_fixed(spot: Spot) -> str | None:
    """Return why the tag of a reference cannot be edited, or return None."""
    if spot.ref.tag is None:
        return None
    try:
        texts_for(spot.source, spot.index, Wanted("v0", spot.ref.digest), helm_tag=False)
    except Refused as refused:
        return str(refused)
    return None


def _young_digests(
    spots: Sequence[Spot],
    questions: Mapping[int, Question],
    targets: Mapping[int, ImageReference],
    digests: Mapping[ImageReference, str | Failed],
    registry: Registry,
    now: datetime,
) -> dict[int, str]:
    """Return the references whose tag stays and whose new digest is too young, each with the reason."""
    moving = {
        id(spot): target
        for spot in spots
        if (target := targets.get(id(spot))) is not None
        and questions[id(spot)].rule.min_age
        and target.tag == spot.ref.tag
        and spot.ref.digest is not None
        and isinstance(digest := digests[target], str)
        and digest != spot.ref.digest
    }
    if not moving:
        return {}
    ages = registry.created(list(dict.fromkeys(moving.values())))
    young = {}
    for key, ref in moving.items():
        created = ages[ref]
        if isinstance(created, Failed):
            young[key] = created.reason
        elif not _is_old(created, questions[key].rule.min_age, now):
            young[key] = _too_young(ref.tag or "", created)
    return young


def _decide(
    spot: Spot,
    outlook: Outlook,
    target: ImageReference | None,
    digests: Mapping[ImageReference, str | Failed],
    young: str,
) -> Decision:
    if outlook.failed is not None or target is None or target.tag is None:
        return unanswered(outlook.failed or Failed("not asked for"))
    digest = None
    if spot.ref.digest is not None:
        answer = digests[target]
        if isinstance(answer, Failed):
            return unanswered(answer)
        digest = answer
    if target.tag == spot.ref.tag and (digest == spot.ref.digest or young):
        reason = young or outlook.reason
        # A digest that still matches is up to date, whatever its tag is called.
        is_current = not young and (not reason or (digest is not None and reason == _NO_VERSION))
        return Decision() if is_current else Decision(None, "unknown", reason)
    return Decision(Wanted(target.tag, digest))
