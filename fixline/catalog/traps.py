"""Plain words for the mistakes that YAML makes easy: text without quotes, tabs, indentation.

Owns the translation of the YAML library's complaints into findings that say what to do. Must not import
anything of Fixline but findings.
"""

from __future__ import annotations

import re

import yaml

from fixline.catalog.findings import TOP, Findings, Place

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def place_in(text: str, index: int) -> Place:
    """The place of the character at that index."""
    breaks = list(_LINE_BREAK.finditer(text, 0, index))
    return Place(len(breaks) + 1, index - (breaks[-1].end() if breaks else 0) + 1)


def is_broken_off(text: str, key: yaml.Node, value: yaml.Node) -> bool:
    """Whether a key between braces is really the rest of a text that a comma divided: it has no colon."""
    if not isinstance(value, yaml.ScalarNode) or value.value or value.style is not None:
        return False
    return not text[key.end_mark.index :].lstrip().startswith(":")


def broken_off(key: str) -> str:
    """The words for a text that a comma divided."""
    return f"'{key}' has no value: if it is the rest of a text with a comma, put the whole text in quotes"


def unreadable(character: str) -> str:
    """The words for a control character, or half a character, that no text can hold."""
    return f"the character U+{ord(character):04X} cannot stand in a text"


def explain(text: str, problem: yaml.YAMLError, findings: Findings) -> None:
    """Add the finding for a file that the YAML library cannot read."""
    if isinstance(problem, yaml.reader.ReaderError):
        findings.add("FX114", place_in(text, problem.position), unreadable(text[problem.position]))
        return
    mark = getattr(problem, "problem_mark", None)
    if mark is None:
        findings.add("FX104", TOP, "the file is not YAML")
        return
    code, message = _explained(text, str(getattr(problem, "problem", "")), problem, mark.index)
    findings.add(code, Place(mark.line + 1, mark.column + 1), message)


def _explained(text: str, words: str, problem: yaml.YAMLError, index: int) -> tuple[str, str]:
    sign = text[index : index + 1]
    context = str(getattr(problem, "context", "") or "")
    if sign == "\t":
        return "FX105", "a tab: indent with spaces"
    if words.startswith("mapping values are not allowed"):
        return _colon(text, index)
    if words.startswith("expected '<document start>'"):
        return _second_document(text, index)
    if "cannot start any token" in words:
        return "FX110", f"unquoted text cannot begin with '{sign}': put it in quotes"
    if "flow" in context and sign and sign not in "\r\n":
        return "FX110", f"'{sign}' ends unquoted text between brackets: put the whole text in quotes"
    if "flow" in context:
        return "FX104", "a bracket that was opened is not closed"
    if words.startswith("sequence entries are not allowed"):
        return "FX110", "'- ' begins a list entry: start the list on a new line, or put the text in quotes"
    if "keys are not allowed" in words:
        return "FX110", "'? ' means something to YAML: put the text in quotes"
    if words.startswith("expected the node content"):
        return "FX110", f"unquoted text cannot begin with '{sign}': put it in quotes"
    if "quoted scalar" in context:
        return "FX104", f"a quoted text cannot be read here ({words}): is a quote missing?"
    if "could not find expected ':'" in words:
        return "FX104", "a colon is missing after a key in the line above"
    if "but found '<block mapping start>'" in words or "but found '<block sequence start>'" in words:
        return "FX111", "this line is indented differently from its neighbours: let it begin in their column"
    if "but found '<scalar>'" in words:
        return "FX104", "text follows where a value has ended: look at the quotes and the indentation"
    return "FX104", f"this is not YAML: {words or 'it cannot be read'}"


def _colon(text: str, index: int) -> tuple[str, str]:
    """A colon too many: within text on the same line, or the key of a line that is indented wrongly."""
    line = re.split(_LINE_BREAK, text[:index])[-1]
    if re.search(r":\s", line):
        return "FX110", "': ' in unquoted text begins a value: put the whole text in quotes"
    return (
        "FX111",
        "a key cannot stand here: look at the indentation, and at the line above (a missing colon?)",
    )


def _second_document(text: str, index: int) -> tuple[str, str]:
    if re.search(r"^\.\.\.", text[:index], re.MULTILINE):
        return "FX109", "text follows the document's end ('...'): one file holds one document"
    return "FX111", "a key cannot stand here: look at the indentation"
