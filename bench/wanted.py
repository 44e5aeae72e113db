"""The numbers that are wanted of a measurement, and whether it has them."""

from __future__ import annotations

from typing import NamedTuple


class Wanted(NamedTuple):
    """A limit, and on which side of it a figure has to be."""

    limit: float
    most: bool

    def holds(self, figure: float) -> bool:
        """Whether the figure is as wanted."""
        return figure <= self.limit if self.most else figure >= self.limit

    def verdict(self, figure: float) -> str:
        """The figure, what is wanted, and whether it is."""
        side = "at most" if self.most else "at least"
        shown = f"{figure:,}" if isinstance(figure, int) else f"{figure:.2f}"
        return f"{shown} (wanted: {side} {self.limit:g}) {'ok' if self.holds(figure) else 'MISSED'}"


def at_most(limit: float) -> Wanted:
    """A figure that must not be higher."""
    return Wanted(limit, most=True)


def at_least(limit: float) -> Wanted:
    """A figure that must not be lower."""
    return Wanted(limit, most=False)
