"""What the rules of ``--online`` need from registries: questions first, answers passed in by the caller.

Nothing here asks a registry. :func:`questions` returns which images a tree has and which rules ask about each of them;
the caller finds the answers out, and puts them into :attr:`imgref.check.policy.Policy.answers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from imgref.check.rules import ONLINE
from imgref.check.rules.images import image_of
from imgref.check.rules.rule import Image
from imgref.check.tasks import Task, examined
from imgref.errors import InvalidReference
from imgref.reference import ImageReference
from imgref.sources.occurrence import Occurrence, Reading

if TYPE_CHECKING:
    from imgref.check.policy import Policy
    from imgref.check.runner import Checked

__all__ = ["Questions", "questions", "unanswered"]

Questions = dict[ImageReference, frozenset[str]]
"""Images, each with the codes of the rules that ask about it."""


def questions(tasks: Sequence[Task], results: Iterable[Checked], policies: Sequence[Policy]) -> list[Questions]:
    """Return what the online rules of each policy ask.

    Args:
        tasks: the files.
        results: their results, with what was found in them.
        policies: the policies that the tasks name.
    """
    found: list[Questions] = [{} for _ in policies]
    for task, result in zip(tasks, results, strict=True):
        asked = found[task.policy]
        for image, codes in _wanted(result.occurrences, policies[task.policy], examined(task, policies)):
            asked[image.ref] = asked.get(image.ref, frozenset()) | codes
    return found


def unanswered(reading: Reading, policy: Policy, codes: frozenset[str]) -> frozenset[str]:
    """Return the rules of a file that have no answer about one of its images.

    Args:
        reading: what was found in the file.
        policy: its policy.
        codes: the rules that the file is checked by.
    """
    answers = policy.answers
    if answers is None:
        return frozenset()
    missing: set[str] = set()
    for image, wanted in _wanted(reading.occurrences, policy, codes):
        answer = answers.get(image.ref)
        missing |= wanted if answer is None else wanted - answer.known
    return frozenset(missing)


def _wanted(
    occurrences: Iterable[Occurrence], policy: Policy, codes: frozenset[str]
) -> Iterator[tuple[Image, frozenset[str]]]:
    """Yield the images that rules ask about, each with the codes of those rules."""
    online = codes & ONLINE
    for occurrence in occurrences if online else ():
        if occurrence.role != "external":
            continue
        try:
            image = image_of(occurrence)
        except InvalidReference:
            continue
        wanted = frozenset(code for code in online if policy.exemption(code, image.ref)[0] is None)
        if wanted and (image.ref.tag is not None or image.ref.digest is not None):
            yield image, wanted
