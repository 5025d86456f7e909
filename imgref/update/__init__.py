"""Keeping image references pinned and current: choosing tags, planning edits, and applying them byte for byte.

- :mod:`imgref.update.choose`, :mod:`imgref.update.aliases`: the newer tag, and the version behind a name
- :mod:`imgref.update.source`: reads a file that may be edited
- :mod:`imgref.update.dotenv`: the values that Compose files take from a file ``.env``
- :mod:`imgref.update.plan`: what changes and what is left alone, as data
- :mod:`imgref.update.pinning`, :mod:`imgref.update.moving`: decide what each reference is to become
- :mod:`imgref.update.diff`: what a plan changes, as a unified diff
- :mod:`imgref.update.apply`: writes the files of a plan

What registries know is passed in as a :class:`~imgref.update.registry.Registry`.
"""

from __future__ import annotations

from imgref import _lazily

TYPE_CHECKING = False

if TYPE_CHECKING:
    from imgref.update.aliases import likely_aliases, most_specific
    from imgref.update.apply import apply_file
    from imgref.update.candidates import Level
    from imgref.update.choose import Choice, Reason, choose_newer, version_of
    from imgref.update.diff import diff_of
    from imgref.update.dotenv import with_dotenv
    from imgref.update.edits import Edit
    from imgref.update.exact import exact_tag
    from imgref.update.listed import ListedTag, read_tags
    from imgref.update.moving import Outlook, Question, outlooks, plan_update
    from imgref.update.pinning import plan_pin, plan_unpin
    from imgref.update.plan import Change, FilePlan, Left, Plan, Spot, spots
    from imgref.update.policy import ImageRule, Rule, UpdatePolicy
    from imgref.update.registry import Failed, Registry
    from imgref.update.source import Source, Unread, read_source, read_sources
    from imgref.update.tag_parts import TagParts, read_tag, variant_of

__all__ = [
    "Change",
    "Choice",
    "Edit",
    "Failed",
    "FilePlan",
    "ImageRule",
    "Left",
    "Level",
    "ListedTag",
    "Outlook",
    "Plan",
    "Question",
    "Reason",
    "Registry",
    "Rule",
    "Source",
    "Spot",
    "TagParts",
    "Unread",
    "UpdatePolicy",
    "apply_file",
    "choose_newer",
    "diff_of",
    "exact_tag",
    "likely_aliases",
    "most_specific",
    "outlooks",
    "plan_pin",
    "plan_unpin",
    "plan_update",
    "read_source",
    "read_sources",
    "read_tag",
    "read_tags",
    "spots",
    "variant_of",
    "version_of",
    "with_dotenv",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = _lazily(
        __name__,
        {
            "aliases": (
                "likely_aliases",
                "most_specific",
            ),
            "apply": ("apply_file",),
            "candidates": ("Level",),
            "choose": (
                "Choice",
                "Reason",
                "choose_newer",
                "version_of",
            ),
            "diff": ("diff_of",),
            "dotenv": ("with_dotenv",),
            "edits": ("Edit",),
            "exact": ("exact_tag",),
            "listed": ("ListedTag", "read_tags"),
            "moving": (
                "Outlook",
                "Question",
                "outlooks",
                "plan_update",
            ),
            "pinning": (
                "plan_pin",
                "plan_unpin",
            ),
            "plan": (
                "Change",
                "FilePlan",
                "Left",
                "Plan",
                "Spot",
                "spots",
            ),
            "policy": (
                "ImageRule",
                "Rule",
                "UpdatePolicy",
            ),
            "registry": (
                "Failed",
                "Registry",
            ),
            "source": (
                "Source",
                "Unread",
                "read_source",
                "read_sources",
            ),
            "tag_parts": (
                "TagParts",
                "read_tag",
                "variant_of",
            ),
        },
    )
