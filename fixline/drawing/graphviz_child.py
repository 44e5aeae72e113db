"""Lays one graph out: a JSON description on standard input, Graphviz's answer with coordinates on standard output.

A program of its own, because Graphviz is a C library that may not be called by two threads at once, and that a very
large graph keeps busy for long: whoever starts it can end it. Only numbers reach Graphviz, no text of a definition.
"""

from __future__ import annotations

import json
import sys
import warnings


def main() -> None:
    """Read the graph in Graphviz's own language and answer with its JSON."""
    import pygraphviz  # type: ignore[import-untyped]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = pygraphviz.AGraph(string=json.load(sys.stdin)["dot"])
        answer = graph.draw(format="json0", prog="dot")
    sys.stdout.write(answer.decode("utf-8"))


if __name__ == "__main__":
    main()
