"""Refusals found in the text of the program: each `raise` of one, and each early return that refuses in silence."""

import ast
import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any

from tests.mutations.mutant import Mutant
from tests.mutations.trial import ROOT

REFUSING = {
    "refusal", "Refusal", "RequestRefused", "TokenRefused", "LinkRefused", "BrokenProtocol", "NotOurs", "BadArgument",
    "_refused", "_not_allowed", "PermissionError",
}  # fmt: skip
"""What a refusal is made with, in whatever way it is named."""

PLACES = {
    "refusal": ("resolvers/**/*.py", "schema/*.py", "db/keys.py"),
    "gate": ("gateway/*.py",),
    "guard": ("resolvers/*.py",),
}
"""Kind of mutant → where it is looked for."""

OUT_OF_REACH = {
    "gateway/requests.py Gate.read_query BAD_REQUEST": "the parser of HTTP refuses such bytes before",
    "resolvers/streams.py follow NOT_FOUND #3": "a family whose procedure was just seen has a row",
    "resolvers/closure.py refuse_who_left BAD_CREDENTIALS": "a login that left has neither a password nor a link",
    "resolvers/invitations.py revoke NOT_FOUND": "row-level security hides the invitation, and it is not found",
    "resolvers/mandates.py revoke NOT_FOUND": "row-level security hides the mandate, and it is not found",
    "resolvers/consumptions.py correct NOT_FOUND #3": "the consumption was written a line above",
    "resolvers/recovery.py reset LINK_NOT_VALID": "looked at before the password is, and again when it is used",
    "resolvers/second_factor_enrolment.py _added CHALLENGE_NOT_VALID": "the challenge is held for that agent only",
    "resolvers/uploads.py attach FIELD_NOT_VALID": "what the pattern keeps out is no field of a form or a request",
    "resolvers/certificates.py certificate return": "drafts are not found before; what was submitted has a receipt",
    "resolvers/filing.py send return": "without documents nothing is sent along; it only spares a statement",
    "resolvers/viewer.py _known this viewer should not have come so far": "the doors let nobody come so far",
}
"""Refusals beside another one that says the same, whatever is sent."""

SILENT = {"resolvers/news.py", "resolvers/imports.py", "resolvers/imports_cells.py", "resolvers/imports_csv.py"}
"""Files whose early returns refuse nobody."""


@dataclass(frozen=True, slots=True)
class Site:
    """One statement that refuses."""

    path: str
    function: str
    """Qualified name of the outermost function around it."""
    code: str
    line: int
    column: int

    @property
    def module(self) -> str:
        """The module's name."""
        return self.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def mutants(kind: str) -> list[Mutant]:
    """Give a mutant for each refusal of a kind."""
    found, seen = [], Counter[str]()
    for pattern in PLACES[kind]:
        for path in sorted(ROOT.glob(pattern)):
            relative = str(path.relative_to(ROOT))
            if kind == "guard" and relative in SILENT:
                continue
            for site in sites(relative, kind):
                name = f"{site.path} {site.function} {site.code}".strip()
                seen[name] += 1
                name += f" #{seen[name]}" if seen[name] > 1 else ""
                if name not in OUT_OF_REACH:
                    found.append(Mutant(kind, name, partial(drop, site), line=(site.path, site.line)))
    return found


def sites(path: str, kind: str) -> Iterator[Site]:
    """Find the refusals of a file."""
    finder = _Finder(path, kind)
    finder.visit(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    yield from finder.found


class _Finder(ast.NodeVisitor):
    def __init__(self, path: str, kind: str) -> None:
        self.path = path
        self.kind = kind
        self.found: list[Site] = []
        self._names: list[str] = []
        self._functions: list[str] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._names.append(node.name)
        self.generic_visit(node)
        self._names.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._names.append(node.name)
        self._functions.append(".".join(self._names))
        self.generic_visit(node)
        self._functions.pop()
        self._names.pop()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """What is refused because something failed would fail otherwise: no protection is lost."""

    def visit_Raise(self, node: ast.Raise) -> None:
        if self.kind != "guard" and isinstance(node.exc, ast.Call) and _called(node.exc) in REFUSING:
            self._add(node, _first_text(node.exc) or _called(node.exc))

    def visit_If(self, node: ast.If) -> None:
        if self.kind == "guard" and self._functions and not node.orelse and _refuses_silently(node.body[-1]):
            self._add(node.body[-1], "return")
        self.generic_visit(node)

    def _add(self, node: ast.stmt, code: str) -> None:
        if self._functions:
            self.found.append(Site(self.path, self._functions[0], code, node.lineno, node.col_offset))


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _first_text(call: ast.Call) -> str:
    for argument in call.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value[:40]
    return ""


def _refuses_silently(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Return):
        return False
    return node.value is None or (isinstance(node.value, ast.Constant) and node.value.value in (None, False))


def drop(site: Site) -> None:
    """Take a refusal out of the running program: its function goes on as if there were none."""
    tree = _Dropper(site).visit(ast.parse((ROOT / site.path).read_text(encoding="utf-8")))
    changed = _code_of(compile(ast.fix_missing_locations(tree), str(ROOT / site.path), "exec"), site.function)
    function = _function(site)
    function.__code__ = changed


class _Dropper(ast.NodeTransformer):
    def __init__(self, site: Site) -> None:
        self._place = site.line, site.column

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        return self._or_pass(node)

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        return self._or_pass(node)

    def _or_pass(self, node: ast.stmt) -> ast.stmt:
        if (node.lineno, node.col_offset) != self._place:
            return node
        return ast.copy_location(ast.Pass(), node)


def _code_of(code: CodeType, name: str) -> CodeType:
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if const.co_qualname == name:
                return const
            if name.startswith(f"{const.co_qualname}."):
                return _code_of(const, name)
    raise LookupError(name)


def _function(site: Site) -> FunctionType:
    """Find the function object, under whatever wraps it."""
    import_module(site.module)
    found: Any = sys.modules[site.module]
    for name in site.function.split("."):
        found = inspect.getattr_static(found, name)
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, classmethod | staticmethod):
        found = found.__func__
    found = inspect.unwrap(found)
    if not isinstance(found, FunctionType):
        raise LookupError(f"{site.module}.{site.function} is no function")
    return found
