"""How many pairs of fields validation would have to compare because they answer under the same name.

The rule of the specification that fields under one name must agree compares them pair by pair, which grows with the
square of a hostile document. Counting the pairs first takes one walk over the merged answer.
"""

from collections.abc import Iterable, Mapping

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

VISITS = 6_000
"""Fields looked at before a document is taken for hostile; an honest one has fewer than it has tokens."""


def pairs_to_compare(
    roots: Iterable[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode], most: int
) -> int:
    """Count the pairs, over all operations of a document; stops counting past `most`."""
    pairs = visits = 0
    levels = [[root] for root in roots]
    while levels and pairs <= most:
        by_name = _by_name(levels.pop(), fragments)
        for nodes in by_name.values():
            visits += len(nodes)
            pairs += len(nodes) * (len(nodes) - 1) // 2
            if visits > VISITS:
                return most + 1
            below = [node.selection_set for node in nodes if node.selection_set]
            if below:
                levels.append(below)
    return pairs


def _by_name(
    level: list[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> dict[str, list[FieldNode]]:
    """Gather the fields of one level of the answer by the name they answer under."""
    found: dict[str, list[FieldNode]] = {}
    spread: set[str] = set()
    waiting = list(level)
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                found.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                fragment = fragments.get(node.name.value)
                waiting.extend([fragment.selection_set] if fragment else [])
    return found
