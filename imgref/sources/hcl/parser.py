"""Parses HCL into nodes: one pass over the tokens with a stack, so that time is linear and nesting costs no recursion.

What cannot be parsed is reported once and skipped; everything else is still read. Bodies, blocks and objects are the
same here: entries between braces, which end at a line's end or a comma.
https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from imgref.sources.hcl.nodes import Entry, FunctionCall, Group, Index, Node, Object, Other, Template, Word

__all__ = ["Document", "parse", "parse_template"]

_DEPTH: Final = 150
_TOKEN: Final = re.compile(
    r"(?P<blank>[ \t\r]++)|(?P<newline>\n)|(?P<comment>\#[^\n]*+|//[^\n]*+|/\*(?s:.*?)(?:\*/|\Z))"
    r"|(?P<heredoc><<-?(?P<marker>[^\W\d][\w-]*)[ \t\r]*\n)"
    r"|(?P<word>[^\W\d][\w-]*(?:\.(?:[^\W\d][\w-]*|[0-9]+|\*))*|[0-9][\w.]*|\.(?:[^\W\d][\w-]*|[0-9]+|\*))"
    r"|(?P<quote>\")|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)"
    r"|(?P<operator>=>|==|!=|<=|>=|&&|\|\||\.\.\.|.)"
)
_LITERAL: Final = re.compile(r'(?:[^"\\$%\n]|\\[^\n]|\$\$\{|%%\{|\$(?!\{)|%(?!\{))++')
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|([$%])\4\{", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}


@dataclass(slots=True)
class Document:
    """A parsed file.

    Attributes:
        root: its body.
        comments: the spans of comments.
        errors: where something is wrong, and what; of many, the first.
        is_incomplete: whether a part could not be read at all.
    """

    root: Object
    comments: list[tuple[int, int]] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)
    is_incomplete: bool = False


@dataclass(slots=True)
class _Frame:
    """Something that is open: the file (an empty mark), a bracket, ``${``, or a quote."""

    mark: str
    start: int
    terms: list[Node] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    template: Template | None = None


def parse(text: str) -> Document:
    """Parse a file.

    >>> entry = parse('image = "nginx" # web').root.entries[0]
    >>> entry.key, entry.value.start, entry.value.parts
    ('image', 9, ['nginx'])
    """
    return _Parser(text, 0, len(text)).document()


def parse_template(text: str, start: int, end: int) -> Template:
    """Parse the content of a quoted string in another syntax, such as JSON."""
    parser = _Parser(text, start, end)
    return parser.template(start)


class _Parser:
    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._at = start
        self._end = end
        self._document = Document(Object(start, end))
        self._frames = [_Frame("", start)]

    def document(self) -> Document:
        """Parse a body."""
        self._run()
        root = self._frames[0]
        self._end_statement(root)
        self._document.root.entries = root.entries
        return self._document

    def template(self, start: int) -> Template:
        """Parse the content of a string up to the end."""
        template = Template(start, self._end)
        self._frames.append(_Frame('"', start, template=template))
        self._run()
        return template

    def _run(self) -> None:
        while self._at < self._end and not self._document.is_incomplete:
            if self._frames[-1].mark == '"':
                self._in_string(self._frames[-1])
            else:
                self._in_expression(self._frames[-1])
        if len(self._frames) > 1:
            self._error(self._frames[-1].start, "what is opened here is not closed")
        while len(self._frames) > 1:
            self._close(self._end)

    def _error(self, at: int, message: str) -> None:
        if not self._document.errors:
            self._document.errors.append((at, message))

    def _in_string(self, frame: _Frame) -> None:
        """Read a literal part, the start of an expression, or the end of the string."""
        template = frame.template
        assert template is not None
        found = _LITERAL.match(self._text, self._at, self._end)
        if found is not None:
            value = found[0]
            if "\\" in value or "$${" in value or "%%{" in value:
                value = _ESCAPE.sub(_unescaped, value)
                template.is_plain = False
            template.parts.append(value)
            self._at = found.end()
        elif self._text.startswith(("${", "%{"), self._at):
            template.is_plain = False
            self._open("${" if self._text[self._at] == "$" else "%{", self._at)
            self._at += 2
        elif self._text[self._at] == '"':
            self._close(self._at)
            self._at += 1
        elif self._text[self._at] == "\n":
            self._error(frame.start, "the string that begins here does not end on its line")
            self._close(self._at)
        else:  # a backslash at the very end
            self._at += 1

    def _in_expression(self, frame: _Frame) -> None:
        found = _TOKEN.match(self._text, self._at, self._end)
        if found is None:  # pragma: no cover  some alternative matches any character
            self._at += 1
            return
        start, self._at = found.span()
        kind = found.lastgroup
        if kind == "comment":
            self._document.comments.append((start, self._at))
            if found[0].startswith("/*") and not found[0].endswith("*/"):
                self._error(start, "the comment that begins here does not end")
        elif kind == "newline" or kind == "comma":
            if frame.mark in {"", "{"} or (kind == "comma" and frame.mark in "(["):
                self._end_statement(frame)
        elif kind == "quote":
            self._open('"', start)
        elif kind == "open":
            self._open(found[0], start)
        elif kind == "close":
            self._closed(found[0], start)
        elif kind in {"heredoc", "marker"}:
            self._heredoc(found["marker"], start, frame)
        elif kind in {"word", "operator"}:
            frame.terms.append(Word(start, self._at, found[0]))

    def _heredoc(self, marker: str, start: int, frame: _Frame) -> None:
        content = self._at
        last = re.compile(rf"^[ \t]*{re.escape(marker)}[ \t\r]*$", re.MULTILINE).search(self._text, content, self._end)
        if last is None:
            self._error(start, f"the heredoc that begins here does not end with {marker}")
        end, self._at = (self._end, self._end) if last is None else last.span()
        frame.terms.append(Template(content, end, [None], is_plain=False, is_heredoc=True))

    def _open(self, mark: str, start: int) -> None:
        if len(self._frames) >= _DEPTH:
            self._error(start, "this is nested too deeply")
            self._document.is_incomplete = True
            return
        template = Template(start + 1, start + 1) if mark == '"' else None
        self._frames.append(_Frame(mark, start, template=template))

    def _closed(self, mark: str, start: int) -> None:
        """Close the frame that a closing bracket belongs to; one that fits nothing is skipped."""
        inner = self._frames[-1].mark
        if inner[-1:] == _PAIRS[mark]:
            self._close(start)
        else:
            self._error(start, f"this {mark} closes nothing")

    def _close(self, at: int) -> None:
        """Close the innermost frame, which becomes a term of the one around it; a bracket or quote is at an offset."""
        frame = self._frames.pop()
        outer = self._frames[-1]
        if frame.template is not None:
            frame.template.end = at
            outer.terms.append(frame.template)
            return
        self._end_statement(frame)
        end = min(at + 1, self._end)
        if frame.mark in {"${", "%{"}:
            part = frame.items[0] if frame.mark == "${" and len(frame.items) == 1 else None
            if outer.template is not None:
                outer.template.parts.append(part)
        elif frame.mark == "{":
            outer.terms.append(Object(frame.start, end, frame.entries))
        else:
            self._add_group(outer, Group(frame.start, end, frame.mark, frame.items))

    def _add_group(self, outer: _Frame, group: Group) -> None:
        """Add a group, which right behind a term is a call or an index."""
        before = outer.terms[-1] if outer.terms else None
        if isinstance(before, Word) and before.end == group.start and group.mark == "(":
            outer.terms[-1] = FunctionCall(before.start, group.end, before.text, group.items)
        elif isinstance(before, (Word, Index)) and before.end == group.start:
            outer.terms[-1] = Index(before.start, group.end, before, group.items)
        else:
            outer.terms.append(group)

    def _end_statement(self, frame: _Frame) -> None:
        terms, frame.terms = frame.terms, []
        if not terms:
            return
        if frame.mark in {"", "{"}:
            frame.entries.append(_entry(terms))
        else:
            frame.items.append(_expression(terms))


def _entry(terms: list[Node]) -> Entry:
    """Return an attribute or a block, or what else is between braces, without a key."""
    first = terms[0]
    operator = terms[1] if len(terms) > 2 else None
    if isinstance(operator, Word) and operator.text in {"=", ":"}:
        return Entry(_name(first), (), _expression(terms[2:]), first.start)
    body = terms[-1]
    if isinstance(body, Object) and isinstance(first, Word) and all(map(_is_label, terms[:-1])) and first.text != "for":
        labels = tuple(_name(term) or "" for term in terms[1:-1])
        return Entry(first.text, labels, body, first.start, is_block=True)
    return Entry(None, (), _expression(terms), first.start)


def _is_label(term: Node) -> bool:
    if isinstance(term, Word):
        return term.text[0].isalpha() or term.text[0] == "_"
    return isinstance(term, Template) and _name(term) is not None


def _name(term: Node) -> str | None:
    if isinstance(term, Word):
        return term.text
    if isinstance(term, Template) and not term.is_heredoc and all(isinstance(part, str) for part in term.parts):
        return "".join(part for part in term.parts if isinstance(part, str))
    return None


def _expression(terms: list[Node]) -> Node:
    if len(terms) == 1:
        return terms[0]
    last = terms[-1]
    end = last.end + 1 if isinstance(last, Template) and not last.is_heredoc else last.end
    first = terms[0]
    start = first.start - 1 if isinstance(first, Template) and not first.is_heredoc else first.start
    return Other(start, end, terms)


def _unescaped(found: re.Match[str]) -> str:
    if found[4]:
        return found[4] + "{"
    code = found[1] or found[2]
    if code:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else found[0]
    return _ESCAPES.get(found[3], found[3])
