"""From the sources of a client to the documents that it sends: one for each operation, with the fragments it spreads.

Texts are printed as Apollo's tools print them (operation first, fragments by name), so that both give the same hashes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from graphql import (
    DefinitionNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    NameNode,
    NoSchemaIntrospectionCustomRule,
    NoUnusedFragmentsRule,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    SourceLocation,
    Visitor,
    get_location,
    parse,
    print_ast,
    specified_rules,
    validate,
    visit,
)

from gateway.documents import Documents
from gateway.errors import RequestRefused
from gateway.limits import Limits
from gateway.manifests import Entry
from gateway.sources import Fault, Piece, pieces

FAULTS_TOLD = 100
RULES = [*(rule for rule in specified_rules if rule is not NoUnusedFragmentsRule), NoSchemaIntrospectionCustomRule]

Named = OperationDefinitionNode | FragmentDefinitionNode


@dataclass(slots=True)
class Extraction:
    """What was found in the sources of a client."""

    schema: GraphQLSchema
    limits: Limits
    typenames: bool = False
    """Add `__typename` to every selection below the root, as caches of clients do before they send."""
    entries: list[Entry] = field(default_factory=list)
    """The documents, by name of their operation; none where there are faults."""
    faults: list[Fault] = field(default_factory=list)
    _operations: dict[str, OperationDefinitionNode] = field(default_factory=dict)
    _fragments: dict[str, FragmentDefinitionNode] = field(default_factory=dict)

    def read(self, folders: Sequence[Path]) -> None:
        """Find all documents under some folders, and all faults."""
        for found in pieces(folders):
            if isinstance(found, Fault):
                self.faults.append(found)
            else:
                self._take(found)
        self._validate()
        if not self.faults:
            self.entries += [entry for _, node in sorted(self._operations.items()) for entry in self._entry(node)]
        if self.faults:
            self.entries.clear()

    def _take(self, piece: Piece) -> None:
        """Note the operations and fragments of a piece; types, as of a schema beside, are none of ours."""
        try:
            document = parse(Source(piece.text, piece.file, SourceLocation(piece.line, 1)))
        except GraphQLSyntaxError as error:
            self.faults.append(piece.fault(error.locations[0].line if error.locations else 1, error.message))
            return
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                self._note(node, self._operations)
            elif isinstance(node, FragmentDefinitionNode):
                self._note(node, self._fragments)

    def _note(self, node: Any, known: dict[str, Any]) -> None:
        if node.name is None:
            self.faults.append(_fault(node, "An operation needs a name, by which clients find its hash."))
            return
        same = known.setdefault(node.name.value, node)
        if same is not node and print_ast(same) != print_ast(node):
            file, line = _place(same)
            self.faults.append(_fault(node, f"{node.name.value} is something else in {file}:{line}."))

    def _validate(self) -> None:
        """Validate everything at once, so that a faulty fragment is named once."""
        definitions: list[DefinitionNode] = [*self._operations.values(), *self._fragments.values()]
        for error in validate(self.schema, DocumentNode(definitions=tuple(definitions)), RULES, FAULTS_TOLD):
            self.faults.append(_fault(error.nodes[0], error.message) if error.nodes else Fault("", 0, error.message))

    def _entry(self, operation: OperationDefinitionNode) -> Iterator[Entry]:
        """Give the document of an operation, if it keeps within the limits."""
        spread = self._spread(operation, {})
        document = DocumentNode(definitions=(operation, *(spread[name] for name in sorted(spread))))
        text = print_ast(visit(document, _Typenames()) if self.typenames else document)
        try:
            Documents(self.schema, self.limits, introspection=False).prepare(text)
        except RequestRefused as refused:
            self.faults.append(_fault(operation, refused.errors[0]["message"]))
            return
        assert operation.name is not None, "those without a name are faults"
        digest = sha256(text.encode()).hexdigest()
        yield Entry(digest, operation.name.value, operation.operation.value, text)

    def _spread(self, node: Named, found: dict[str, FragmentDefinitionNode]) -> dict[str, FragmentDefinitionNode]:
        """Collect the fragments that a definition spreads, those within them too."""
        names = _Spreads()
        visit(node, names)
        for name in names.found - set(found):
            found[name] = self._fragments[name]
            self._spread(found[name], found)
        return found


class _Spreads(Visitor):
    """Notes the names of spread fragments."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        """Note one."""
        self.found.add(node.name.value)


class _Typenames(Visitor):
    """Adds `__typename` where Apollo's and urql's caches add it."""

    def enter_selection_set(self, node: SelectionSetNode, _: Any, parent: Any, *__: Any) -> Any:
        """Add it at the end, unless the selection asks for it or for another name of introspection."""
        if isinstance(parent, OperationDefinitionNode):
            return None
        for selection in node.selections:
            if isinstance(selection, FieldNode) and selection.name.value.startswith("__"):
                return None
        typename = FieldNode(name=NameNode(value="__typename"), arguments=(), directives=())
        return SelectionSetNode(selections=(*node.selections, typename))


def _place(node: Any) -> tuple[str, int]:
    """Give file and line of a node."""
    source = node.loc.source
    return source.name, source.location_offset.line - 1 + get_location(source, node.loc.start).line


def _fault(node: Any, message: str) -> Fault:
    return Fault(*_place(node), message)
