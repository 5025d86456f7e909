"""Releases: the tags of a version on a registry, none of which ever moves backwards.

A registry cannot move a tag on condition that it is unchanged. So a release sets its exact tag first, then its floating
tags, and then checks whether one of these belongs to a version that appeared meanwhile. The release that sets a
floating tag last checks last, and finds every exact tag: simultaneous releases end as if one had waited for the other.

All of this rests on the registry's list of tags, so nothing is set before :mod:`imgref.registry.listing` finds no
contradiction in that list, and a floating tag moves only from an image that one of the listed versions explains.

- :mod:`imgref.registry.release.model`: a release and the outcome of each of its tags
- :mod:`imgref.registry.release.plan`: decides what happens to each tag
- :mod:`imgref.registry.release.apply`: sets the tags, and corrects them until nothing is to correct
"""

from imgref.registry.release.apply import apply_release
from imgref.registry.release.model import Release, TagOutcome
from imgref.registry.release.plan import plan_release

__all__ = ["Release", "TagOutcome", "apply_release", "plan_release"]
