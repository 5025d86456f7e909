"""YAML files: composes the documents, decides which kinds each one is, and calls the readers of these kinds."""

from __future__ import annotations

from dataclasses import replace

from imgref.sources.contract import Context
from imgref.sources.kinds import KINDS, loaded
from imgref.sources.occurrence import Reading
from imgref.sources.traces import Trace, trace_of
from imgref.sources.yaml.chart_templates import chart_images
from imgref.sources.yaml.collector import Found
from imgref.sources.yaml.comments import comments
from imgref.sources.yaml.composer import Composition
from imgref.sources.yaml.composer import compose as compose_nodes
from imgref.sources.yaml.content import kind_by_content, looks_like_ci, may_have_images
from imgref.sources.yaml.document import Node, Scalar, walk
from imgref.sources.yaml.dotenv import Variables
from imgref.sources.yaml.objects import members
from imgref.sources.yaml.prefilter import parts_of
from imgref.sources.yaml.templates import looks_like_template, template_images

__all__ = ["read_yaml"]


def read_yaml(
    text: str,
    *,
    kind: str | None,
    named: bool = False,
    template: bool = False,
    context: Context = Context(),  # noqa: B008  immutable
) -> Reading | None:
    """Find the image references in a YAML file.

    Args:
        text: the file; a byte order mark at its start is not counted.
        kind: the kind that the name decides, one of :data:`~imgref.sources.kinds.KINDS`; with None the content decides.
        named: the file was named on the command line, so that it must be readable.
        template: the file is below a chart's ``templates``: only what is literal in it can be read.
        context: has the values of the variables of a Compose file.

    Returns:
        None where the file is of no kind that has references.

    >>> read_yaml("services: {web: {image: nginx}}", kind=None).occurrences[0].text
    'nginx'
    """
    text = text.removeprefix("\ufeff")
    if template:
        return Reading(kind or "helm-template", chart_images(text), comments=comments(text, []))
    if kind is None and not named and not may_have_images(text):
        return None
    composition = compose_nodes(text, parts_of(text, kind, _kinds_of))
    if composition.problems:
        if looks_like_template(text, kind):
            images = template_images(text)
            return Reading(kind or "template", images, comments=comments(text, [])) if images or kind else None
        if kind is None and not named:
            first = composition.problems[0]
            doubt = f"line {first.line}: {first.message}"
            reading = _read(text, kind, composition, context) or Reading("yaml")
            # Its name does not promise YAML, so it is not a finding that it is not.
            return replace(reading, problems=(), doubt=doubt)
    return _read(text, kind, composition, context)


def _read(text: str, kind: str | None, composition: Composition, context: Context) -> Reading | None:
    variables = Variables(context)
    found = Found(text, variables.lookup, composition.aliased)
    first = None
    doubt = ""
    unknown: list[Node] = []
    for document in members(composition.documents):
        known = _kinds_of(document, kind)
        for name in known:
            loaded(KINDS[name].reader)(document, found)
        first = first or next(iter(known), None)
        if not known:
            unknown.append(document)
        if not known and looks_like_ci(document):
            doubt = "it looks like a file of a CI system, but is of no kind that imgref knows"
    if first is None and not composition.problems:
        return Reading("yaml", doubt=doubt) if doubt else None
    stopped = composition.stopped
    return Reading(
        first or kind or "yaml",
        tuple(item for item in found.occurrences() if stopped is None or item.line < stopped),
        (*variables.problems, *composition.problems),
        comments(text, _quoted(composition, found)),
        incomplete=stopped is not None,
        doubt=doubt,
        builds=tuple(found.builds) if stopped is None else (),
        trace=None if stopped is not None else next(filter(None, (_trace_in(one, found) for one in unknown)), None),
    )


def _quoted(composition: Composition, found: Found) -> list[tuple[int, int]]:
    """Return the spans of scalars without comments; a block scalar that is read as YAML may have its own comments."""
    if not found.blocks:
        return composition.quoted
    outside = (span for span in composition.quoted if span[0] not in found.blocks)
    return sorted([*outside, *(span for spans in found.blocks.values() for span in spans)])


def _trace_in(document: Node, found: Found) -> Trace | None:
    """Return the first trace of an image in a document, whose strings are looked at one by one."""
    for mapping in walk(document):
        for key, value in mapping.pairs:
            if not isinstance(key, Scalar) or not isinstance(value, Scalar) or value.is_null:
                continue
            if (trace := trace_of(f"{key.value}: {value.value}", yaml=True)) is not None:
                return trace._replace(line=found.line_of(value.place(found.text)) + trace.line - 1)
    return None


def _kinds_of(document: Node, kind: str | None) -> list[str]:
    """Return the kinds as which a document is read: the kind of its name, and those of its content.

    A name alone must not hide what is in a file: a manifest that is called ``action.yml`` is still one.
    """
    named = None if kind is None else KINDS[kind]
    content = None if named is not None and named.only else kind_by_content(document)
    if named is None or content is None or content == kind:
        return [name for name in (kind or content,) if name is not None]
    return [content] if KINDS[content].decisive and not named.decisive else [named.name, content]
