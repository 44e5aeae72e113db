"""How much room a text takes, and where it is broken into lines.

Owns the estimate: which font a reader's machine has is unknown, so widths are those of a wide one. Sizes are in
pixels. Must not import anything of Fixline.
"""

from __future__ import annotations

_NARROW = frozenset("iljtfrI.,:;'|!()[] -")
_WIDE = frozenset("mwMW@%&")


def width_of(text: str, size: float) -> float:
    """The width of a line of text at this font size, rather too much than too little."""
    return size * sum(_width(sign) for sign in text)


def _width(sign: str) -> float:
    if sign in _NARROW:
        return 0.36
    if sign in _WIDE:
        return 0.9
    if ord(sign) > 0x2E7F:
        return 1.1
    return 0.7 if sign.isupper() else 0.57


def wrapped(text: str, size: float, room: float, most: int = 4) -> list[str]:
    """The text in lines that fit into the room; what goes beyond the last of `most` lines is cut with an ellipsis."""
    lines: list[str] = []
    line = ""
    for word in _pieces(text, size, room):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, size) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], _cut(f"{lines[most - 1]}…", size, room)]
    return lines


def _pieces(text: str, size: float, room: float) -> list[str]:
    """The words of the text; a word that is wider than the room in pieces."""
    found: list[str] = []
    for word in text.split():
        piece = ""
        for sign in word:
            if piece and width_of(piece + sign, size) > room:
                found.append(piece)
                piece = ""
            piece += sign
        found.append(piece)
    return found


def _cut(text: str, size: float, room: float) -> str:
    while len(text) > 2 and width_of(text, size) > room:
        text = f"{text[:-2]}…"
    return text
