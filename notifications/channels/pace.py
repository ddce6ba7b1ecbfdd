"""How fast a provider may be asked."""

UNKNOWN = 4
"""Nodes that are reckoned with before anybody has looked how many there are."""


class Pace:
    """Turns at even distances; `per_second` of them, divided by the nodes that share them."""

    def __init__(self, per_second: float, nodes: int = 1) -> None:
        self._per_second = per_second
        self._next = 0.0
        self.share(nodes)

    def share(self, nodes: int) -> None:
        """Take turns with so many nodes, this one included."""
        self._gap = nodes / self._per_second

    def take(self, now: float, most: float) -> float:
        """Give the seconds until one's turn; when these are more than `most`, the turn is not taken."""
        wait = max(0.0, self._next - now)
        if wait <= most:
            self._next = max(self._next, now) + self._gap
        return wait
