"""The mutants of a module: each one small change to its code, made at the exact place in its text.

Names, annotations and docstrings stay as they are, and so do texts that only people read, since no test should repeat
every message: strings are mutated where they are compared, looked up or matched.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
CALCULATED: dict[type[ast.operator], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*", ast.Div: "*", ast.Mod: "*",
    ast.BitAnd: "|", ast.BitOr: "&",
}  # fmt: skip
METHODS = {
    "startswith": "endswith", "endswith": "startswith", "partition": "rpartition", "rpartition": "partition",
    "lstrip": "rstrip", "rstrip": "lstrip", "strip": "lstrip", "lower": "upper", "upper": "lower", "split": "rsplit",
    "removeprefix": "removesuffix", "removesuffix": "removeprefix", "fullmatch": "match", "match": "search",
    "search": "match", "isdigit": "isalpha",
}  # fmt: skip
FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"}
PATTERN_OPERATORS = {
    r"(?<![+*?\\(])\+\+?": "?", r"(?<![+*?\\(])\*\+?": "?", r"(?<=[\])\w])\?(?![:=!<P])": "",
    r"\(\?!": "(?=", r"\(\?=": "(?!", r"\(\?<!": "(?<=", r"\\\.": ".", r"(?<=[\[\w])(?:a-z|A-Z|0-9)(?!\])": "",
    r"(?<=\{)\d+(?=,)": "3", r"(?<=,)\}": "3}", r"\\A|\\Z": "",
}  # fmt: skip
"""What one operator of a regular expression is changed to."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of one module.

    Attributes:
        start: where the text begins that is replaced, as an offset in bytes.
        end: where it ends.
        text: what replaces it.
        line: the line of the change.
        column: the column in which it begins, in bytes.
        was: what is replaced.
        code: the line in the source; with the change, it tells the mutant from others when lines move.
    """

    start: int
    end: int
    text: str
    line: int
    column: int
    was: str
    code: str

    @property
    def place(self) -> str:
        """The line and the column."""
        return f"{self.line}:{self.column}"

    @property
    def change(self) -> str:
        """The change, on one line."""
        return " ".join(f"{self.was} -> {self.text}".split())

    def applied(self, source: bytes) -> bytes:
        """Return the source with the change."""
        return source[: self.start] + self.text.encode() + source[self.end :]


class Finder:
    """Finds the mutants of a module."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._tree = ast.parse(source)
        self._skipped = set(_ignored(self._tree))

    def mutants(self) -> list[Mutant]:
        """Return all mutants that still compile, in the order of the text, no change twice."""
        found = {mutant for node in self._visited(self._tree) for mutant in self._of(node)}
        return sorted(filter(self._compiles, found), key=lambda mutant: (mutant.start, mutant.end, mutant.text))

    def _visited(self, node: ast.AST) -> Iterator[ast.AST]:
        if node in self._skipped:
            return
        yield node
        if isinstance(node, ast.JoinedStr):
            return
        for child in ast.iter_child_nodes(node):
            yield from self._visited(child)

    def _compiles(self, mutant: Mutant) -> bool:
        if mutant.was == mutant.text:
            return False
        try:
            ast.parse(mutant.applied(self._source))
        except SyntaxError:
            return False
        return True

    def _of(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.Compare():
                yield from self._compare(node)
            case ast.BoolOp():
                yield from self._bool(node)
            case ast.BinOp():
                yield from self._between(node.left, node.right, CALCULATED.get(type(node.op)))
            case ast.Constant(value=str()) | ast.JoinedStr() if self._is_raw(node):
                yield from self._pattern(node)
            case ast.UnaryOp(op=ast.Not()):
                yield self._whole(node, f"({self._text(node.operand)})")
            case ast.Constant():
                yield from self._constant(node)
            case ast.Call():
                yield from self._call(node)
            case _:
                yield from self._statement(node)

    def _statement(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.If() | ast.While() | ast.IfExp():
                yield self._whole(node.test, f"(not ({self._text(node.test)}))")
            case ast.comprehension():
                for condition in node.ifs:
                    yield self._whole(condition, "True")
                    yield self._whole(condition, f"(not ({self._text(condition)}))")
            case ast.Return(value=ast.expr() as value) if not _is_falsy(value):
                yield self._whole(value, "None")
            case ast.Raise():
                yield self._whole(node, "pass")
            case ast.AugAssign() if type(node.op) in CALCULATED:
                yield from self._between(node.target, node.value, f"{CALCULATED[type(node.op)]}=")
            case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()) | ast.Assign():
                yield self._whole(node, "pass")
            case ast.Break():
                yield self._whole(node, "continue")
            case ast.Continue():
                yield self._whole(node, "break")

    def _compare(self, node: ast.Compare) -> Iterator[Mutant]:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            yield from self._between(left, right, COMPARED[type(operator)])
            left = right

    def _bool(self, node: ast.BoolOp) -> Iterator[Mutant]:
        other = "or" if isinstance(node.op, ast.And) else "and"
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield from self._between(left, right, other)
        for value in node.values:
            yield self._whole(value, "True" if isinstance(node.op, ast.And) else "False")

    def _constant(self, node: ast.Constant) -> Iterator[Mutant]:
        value = node.value
        if isinstance(value, bool):
            yield self._whole(node, str(not value))
        elif isinstance(value, int):
            yield self._whole(node, str(value + 1))
            if value:
                yield self._whole(node, str(value - 1))
        elif isinstance(value, str) and "\n" not in value and " " not in value.strip() and node.end_col_offset:
            yield self._whole(node, repr("" if value else "x"))

    def _is_raw(self, node: ast.expr) -> bool:
        return bool(re.match(r"(?i)(?:r|rf|fr)[\"']", self._text(node)))

    def _pattern(self, node: ast.expr) -> Iterator[Mutant]:
        """Change one operator of a regular expression; what an f-string inserts is a pattern of its own."""
        text = self._text(node)
        inserted = (
            [found.span() for found in re.finditer(r"(?<!\{)\{\w+\}(?!\})", text)]
            if isinstance(node, ast.JoinedStr)
            else []
        )
        start, _ = self._span(node)
        for operator, changed in PATTERN_OPERATORS.items():
            for found in re.finditer(operator, text):
                if not any(first <= found.start() < last for first, last in inserted):
                    at = start + len(text[: found.start()].encode())
                    yield self._mutant(at, at + len(found[0].encode()), changed, found[0])

    def _call(self, node: ast.Call) -> Iterator[Mutant]:
        match node.func:
            case ast.Attribute(attr="split") if len(node.args) < 2:
                pass
            case ast.Attribute(attr=name) if name in METHODS:
                yield self._renamed(node.func, name, METHODS[name])
            case ast.Name(id=name) if name in FUNCTIONS:
                yield self._renamed(node.func, name, FUNCTIONS[name])
        for keyword in node.keywords:
            if keyword.arg is not None:
                text = self._text(keyword)
                after = self._source[self._span(keyword)[1] :].lstrip()[:1]
                start, end = self._span(keyword)
                if after == b",":
                    end = self._source.index(b",", end) + 1
                yield self._mutant(start, end, "", text)

    def _renamed(self, node: ast.expr, name: str, other: str) -> Mutant:
        _, end = self._span(node)
        return self._mutant(end - len(name), end, other, name)

    def _between(self, left: ast.expr, right: ast.expr, operator: str | None) -> Iterator[Mutant]:
        """Replace the operator between two operands; parentheses and comments around it stay."""
        if operator is None:
            return
        start, end = self._span(left)[1], self._span(right)[0]
        text = self._source[start:end].decode()
        was = text.strip().strip("()").strip()
        if was and "\n" not in was and "#" not in was:
            at = start + text.index(was)
            yield self._mutant(at, at + len(was.encode()), operator, was)

    def _whole(self, node: ast.AST, text: str) -> Mutant:
        start, end = self._span(node)
        return self._mutant(start, end, text, self._text(node))

    def _mutant(self, start: int, end: int, text: str, was: str) -> Mutant:
        line = self._source.count(b"\n", 0, start)
        code = self._source[self._starts[line] : self._starts[line + 1]].decode().strip()
        return Mutant(start, end, text, line + 1, start - self._starts[line] + 1, was, code)

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt | ast.keyword)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset


def _is_falsy(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _ignored(tree: ast.Module) -> Iterator[ast.AST]:
    """Return the nodes that no test should hold: annotations, docstrings, imports, __all__, parts of f-strings."""
    for node in ast.walk(tree):
        match node:
            case ast.Import() | ast.ImportFrom():
                yield node
            case ast.Assign(targets=[ast.Name(id="__all__" | "_T")]):
                yield node
            case ast.AnnAssign():
                yield node.annotation
            case ast.arg(annotation=ast.expr() as annotation):
                yield annotation
            case ast.Expr(value=ast.Constant()):
                yield node
            case ast.FunctionDef() | ast.ClassDef():
                yield from node.decorator_list
                if isinstance(node, ast.FunctionDef) and node.returns is not None:
                    yield node.returns
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield node
            case ast.Call(func=ast.Name(id="cast" | "TypeVar")):
                yield node
            case ast.Call(func=ast.Name(id="Page" | "Example")):
                yield node
