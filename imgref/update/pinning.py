"""Adding digests to references, and removing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imgref.reference import ImageReference
from imgref.update.edits import Refused, Wanted, texts_for
from imgref.update.exact import exact_tag
from imgref.update.plan import Decision, Left, Plan, Spot, make_plan
from imgref.update.registry import Failed, Registry

__all__ = ["decide_to_pin", "images_to_pin", "plan_pin", "plan_unpin", "unanswered"]


def plan_pin(
    spots: Iterable[Spot],
    left: Iterable[Left],
    registry: Registry,
    *,
    refresh: bool = False,
    helm_tag: bool = False,
    exact: bool = False,
) -> Plan:
    """Plan to add digests to references that have none.

    Args:
        spots: the references.
        left: those that are left alone already.
        registry: answers what the tags point to.
        refresh: whether digests that no longer match their tag are replaced, too.
        helm_tag: whether a digest may go into a Helm map's tag.
        exact: whether a floating tag is first replaced by the most specific version tag of the same image.
    """
    spots = tuple(spots)
    images = images_to_pin(spots, refresh=refresh, helm_tag=helm_tag)
    digests = registry.digests(list(images))
    tags = _exact_tags(images, registry) if exact else {}
    decisions = [(spot, decide_to_pin(spot, digests, tags, refresh=refresh, helm_tag=helm_tag)) for spot in spots]
    return make_plan(decisions, tuple(left), helm_tag=helm_tag)


def images_to_pin(spots: Iterable[Spot], *, refresh: bool, helm_tag: bool) -> dict[ImageReference, None]:
    """Return the images whose digest is needed, each once: none that would be left alone anyway."""
    return {
        by_tag(spot.ref): None
        for spot in spots
        if spot.ref.tag is not None
        and (spot.ref.digest is None or refresh)
        and why_fixed(spot, helm_tag=helm_tag) is None
    }


def _exact_tags(images: Iterable[ImageReference], registry: Registry) -> dict[ImageReference, str]:
    """Return the most specific tags of images, where there are such tags."""
    listed = registry.tags(list(dict.fromkeys(image.repository for image in images)))
    found = {}
    for image in images:
        tags = listed[image.repository]
        if not isinstance(tags, Failed) and (tag := exact_tag(image, tags, registry)) is not None:
            found[image] = tag
    return found


def by_tag(ref: ImageReference) -> ImageReference:
    """Return what a reference names by its tag."""
    return ref if ref.digest is None else ref.with_tag(ref.tag or "latest")


def why_fixed(spot: Spot, *, helm_tag: bool) -> str | None:
    """Return why no digest can be written for a reference, or return None."""
    zero = f"sha256:{'0' * 64}"
    try:
        texts_for(spot.source, spot.index, Wanted(spot.ref.tag or "latest", zero), helm_tag=helm_tag)
    except Refused as refused:
        return str(refused)
    return None


def decide_to_pin(
    spot: Spot,
    digests: Mapping[ImageReference, str | Failed],
    tags: Mapping[ImageReference, str],
    *,
    refresh: bool,
    helm_tag: bool,
) -> Decision:
    """Decide about one reference, once the digests are known."""
    ref = spot.ref
    if ref.digest is not None and (not refresh or ref.tag is None):
        return Decision()
    reason = why_fixed(spot, helm_tag=helm_tag)
    if reason is not None:
        return Decision(None, "fixed", reason)
    answer = digests[by_tag(ref)]
    if isinstance(answer, Failed):
        return unanswered(answer)
    wanted = Wanted(tags.get(by_tag(ref), ref.tag or "latest"), answer)
    return Decision() if wanted == (ref.tag, ref.digest) else Decision(wanted)


def unanswered(failed: Failed) -> Decision:
    """Return the decision about a reference whose lookup failed."""
    return Decision(None, "missing" if failed.missing else "failed", failed.reason)


def plan_unpin(spots: Iterable[Spot], left: Iterable[Left]) -> Plan:
    """Plan to remove digests where a tag stays.

    Args:
        spots: the references.
        left: those that are left alone already.
    """
    return make_plan([(spot, _decide_to_unpin(spot)) for spot in spots], tuple(left))


def _decide_to_unpin(spot: Spot) -> Decision:
    ref = spot.ref
    if ref.digest is None:
        return Decision()
    if ref.tag is None:
        return Decision(None, "fixed", "it has only a digest, and no tag")
    return Decision(Wanted(ref.tag, None))
