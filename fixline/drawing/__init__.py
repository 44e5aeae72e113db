"""Draws a definition so that the head of a department can read it: as SVG, and as Mermaid's text.

Owns the picture: what is in it (`chart`), where everything goes (`layout`, by Graphviz), and how it is drawn. Must not
import anything of Fixline but the domain.
"""

from fixline.drawing.layout import NotDrawn
from fixline.drawing.mermaid import mermaid_of
from fixline.drawing.svg import svg_of

__all__ = ["NotDrawn", "mermaid_of", "svg_of"]
