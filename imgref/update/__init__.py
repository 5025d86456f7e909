"""Choosing the newer tag of an image, and the version behind the name of one.

All functions are pure: they know nothing but the names that they receive.
"""

from imgref.update.aliases import likely_aliases, most_specific
from imgref.update.candidates import Level
from imgref.update.choose import Choice, Reason, choose_newer, version_of
from imgref.update.tag_parts import TagParts, read_tag, variant_of

__all__ = [
    "Choice",
    "Level",
    "Reason",
    "TagParts",
    "choose_newer",
    "likely_aliases",
    "most_specific",
    "read_tag",
    "variant_of",
    "version_of",
]
