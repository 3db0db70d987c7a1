"""Measure how the code is built, from its syntax trees, against TARGETS.

    python -m experiments.code_measures [--root CHECKOUT] [--worst]

Only the packages are measured, not tests and experiments. What is counted:

- code lines: lines that hold code; blank lines, comments and docstrings do not count.
- complex functions, per 1,000 code lines: functions whose cyclomatic complexity (McCabe 1976) is
  over 10. It is 1 and one for each if, elif, conditional expression, loop, except, case,
  comprehension with each of its ifs, and each further operand of and/or. Nested functions count on
  their own.
- local imports, per 1,000 code lines: import statements inside a function.
- ``dict[str, Any]``: how often it is written, in annotations and elsewhere.
- packed assignments, per 1,000 code lines: ``a, b = x, y``, a display of values assigned to a
  display of names. An unpacked call or name is not one.
- starred displays: ``f(*(a, b, c))`` or ``f(*[...])``, arguments packed to be unpacked at once.
- most arguments: of any function, self and cls not counted; ``*args`` and ``**kwargs`` are one
  each.
- import cycles: groups of modules that import each other, through imports at the top or deferred
  into functions. Imports for type checkers alone do not count."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tyro

PACKAGES = ("image", "vpn", "datasets", "training", "eval", "pixelpush")
TARGETS = {
    "complex functions per 1,000 lines": 1.5,
    "local imports per 1,000 lines": 2.0,
    "dict[str, Any]": 15,
    "packed assignments per 1,000 lines": 3.0,
    "starred displays": 0,
    "most arguments": 8,
    "import cycles": 0,
}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.While, ast.ExceptHandler, ast.match_case)


@dataclass(frozen=True)
class Options:
    """What to measure."""

    root: Path = Path(__file__).resolve().parents[1]
    """A checkout of the project."""
    worst: bool = False
    """Name every place that counts."""


@dataclass
class Measures:
    """Counts over some files, and the places that were counted, by the measure's name."""

    code_lines: int = 0
    most_arguments: int = 0
    places: dict[str, list[str]] = field(default_factory=dict)
    imports: dict[str, set[str]] = field(default_factory=dict)

    def found(self, name: str, place: str) -> None:
        """Count one place."""
        self.places.setdefault(name, []).append(place)

    def count(self, name: str) -> int:
        """How many places were counted under a name."""
        return len(self.places.get(name, []))

    def figures(self) -> dict[str, float]:
        """The figures that TARGETS bounds."""
        thousands = max(self.code_lines, 1) / 1000
        return {
            "complex functions per 1,000 lines": self.count("complex functions") / thousands,
            "local imports per 1,000 lines": self.count("local imports") / thousands,
            "dict[str, Any]": self.count("dict[str, Any]"),
            "packed assignments per 1,000 lines": self.count("packed assignments") / thousands,
            "starred displays": self.count("starred displays"),
            "most arguments": self.most_arguments,
            "import cycles": len(cycles(self.imports)),
        }


def measure(root: Path) -> Measures:
    """Measure the packages of a checkout."""
    measures = Measures()
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            measure_file(file, root, measures)
    return measures


def measure_file(file: Path, root: Path, measures: Measures) -> None:
    """Add one file's counts."""
    text = file.read_text()
    tree = ast.parse(text)
    name = str(file.relative_to(root))
    measures.code_lines += code_lines(text, tree)
    measures.imports[module_name(file, root)] = imported_modules(tree)
    for node in ast.walk(tree):
        place = f"{name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, _FUNCTIONS):
            _measure_function(node, f"{place} {node.name}", measures)
        elif isinstance(node, ast.Subscript) and ast.unparse(node) == "dict[str, Any]":
            measures.found("dict[str, Any]", place)
        elif isinstance(node, ast.Assign) and _packed(node):
            measures.found("packed assignments", place)
        if isinstance(node, ast.Call):
            for argument in node.args:
                if isinstance(argument, ast.Starred) and _display(argument.value):
                    measures.found("starred displays", place)


def _measure_function(
    node: ast.FunctionDef | ast.AsyncFunctionDef, place: str, measures: Measures
) -> None:
    if complexity(node) > 10:
        measures.found("complex functions", f"{place} ({complexity(node)})")
    arguments = count_arguments(node)
    measures.most_arguments = max(measures.most_arguments, arguments)
    if arguments > TARGETS["most arguments"]:
        measures.found("most arguments", f"{place} ({arguments})")
    for inner in own_nodes(node):
        if isinstance(inner, ast.Import | ast.ImportFrom):
            measures.found("local imports", f"{place}: {ast.unparse(inner)}")


def code_lines(text: str, tree: ast.Module) -> int:
    """How many lines hold code.

    >>> code_lines('x = 1  # one', ast.parse('x = 1'))
    1
    """
    documented = (ast.Module, ast.ClassDef, *_FUNCTIONS)
    lines: set[int] = set()
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (*skipped, tokenize.ENDMARKER):
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        for statement in node.body if isinstance(node, documented) else []:
            # A string that stands alone is a docstring: of a module, a class, a function, a field.
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                lines.difference_update(range(statement.lineno, (statement.end_lineno or 0) + 1))
    return len(lines)


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below a function, but not those of functions within it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _FUNCTIONS):
            yield from own_nodes(child)


def complexity(function: ast.AST) -> int:
    """Cyclomatic complexity of a function.

    >>> complexity(ast.parse('def f(x): return x if x and x > 1 else 0').body[0])
    3
    """
    total = 1
    for node in own_nodes(function):
        if isinstance(node, _BRANCHES):
            total += 1
        elif isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            total += 1 + len(node.ifs)
    return total


def count_arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many arguments a function takes, without self and cls."""
    given = node.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    bound = 1 if names[:1] in (["self"], ["cls"]) else 0
    return len(names) - bound + (given.vararg is not None) + (given.kwarg is not None)


def _display(node: ast.AST) -> bool:
    return isinstance(node, ast.Tuple | ast.List)


def _packed(node: ast.Assign) -> bool:
    return isinstance(node.value, ast.Tuple) and isinstance(node.targets[0], ast.Tuple)


def module_name(file: Path, root: Path) -> str:
    """The name under which a file is imported."""
    parts = list(file.relative_to(root).with_suffix("").parts)
    if parts[0] != "pixelpush":
        parts.insert(0, "pixelpush")
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def imported_modules(tree: ast.Module) -> set[str]:
    """Every name that a file imports, at the top or in a function; not for type checkers alone."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            skipped.update(ast.walk(node))
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return names


def cycles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules each of which reaches the others.

    >>> cycles({"a": {"b"}, "b": {"a"}, "c": {"a"}})
    [['a', 'b']]
    """
    reached: dict[str, set[str]] = {}
    for module in imports:
        seen: set[str] = set()
        waiting = [module]
        while waiting:
            for name in imports[waiting.pop()]:
                if name in imports and name not in seen:
                    seen.add(name)
                    waiting.append(name)
        reached[module] = seen
    groups = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in imports
        if module in reached[module]
    }
    return [list(group) for group in sorted(groups) if len(group) > 1]


def main(options: Options) -> int:
    """Print the figures beside their targets; returns how many targets are missed."""
    measures = measure(options.root)
    print(f"{options.root}: {measures.code_lines} code lines")
    missed = 0
    for name, value in measures.figures().items():
        missed += value > TARGETS[name]
        mark = "" if value <= TARGETS[name] else "  <- missed"
        print(f"{name:<38}{value:>8.4g}  (target {TARGETS[name]:g}){mark}")
    if options.worst:
        for name, places in measures.places.items():
            for place in places:
                print(f"{name}: {place}")
        for group in cycles(measures.imports):
            print(f"import cycles: {', '.join(group)}")
    return missed


if __name__ == "__main__":
    sys.exit(1 if main(tyro.cli(Options, description=__doc__)) else 0)
