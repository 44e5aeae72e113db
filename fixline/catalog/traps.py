"""Plain words for the mistakes that YAML makes easy: what the library complains of, as findings that say what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from fixline.catalog.findings import TOP, Findings, Place

_QUOTES = "inside double quotes, write single ones"
_KEY = re.compile(r"[ -]*[\w-]+:(?!\S)")
_MISPLACED_KEY = "a key cannot stand here: look at the indentation, and at the line above (a missing colon?)"
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


def unreadable(character: str) -> str:
    """The words for a control character, or half a character, that no text can hold."""
    return f"the character U+{ord(character):04X} cannot stand in a text"


def explain(text: str, problem: yaml.YAMLError, findings: Findings) -> None:
    """Add the finding for a file that the YAML library cannot read, where its author has to mend it."""
    if isinstance(problem, yaml.reader.ReaderError):
        findings.add("FX114", place_in(text, problem.position), unreadable(text[problem.position]))
        return
    mark = getattr(problem, "problem_mark", None)
    if mark is None:
        findings.add("FX104", TOP, "the file is not YAML")
        return
    trap = _trap(text, problem, mark.index)
    findings.add(trap.code, place_in(text, trap.index), trap.message)


@dataclass(frozen=True)
class _Trap:
    """A mistake in words, at the character where it was made; the library may notice only lines later."""

    code: str
    message: str
    index: int


def _trap(text: str, problem: yaml.YAMLError, index: int) -> _Trap:
    words = str(getattr(problem, "problem", "") or "")
    context = str(getattr(problem, "context", "") or "")
    begun = getattr(problem, "context_mark", None)
    sign = text[index : index + 1]
    if sign == "\t":
        return _Trap("FX105", "a tab: indent with spaces", index)
    if "flow" in context and begun is not None:
        return _between_brackets(text, sign, index, begun.index)
    if "simple key" in context and begun is not None:
        return _Trap("FX104", "a colon with a space after it is missing here", begun.index)
    if "quoted scalar" in context and "end of stream" in words and begun is not None:
        return _Trap("FX104", "a quote that is opened here is not closed", begun.index)
    if words.startswith("mapping values are not allowed"):
        return _colon(text, index)
    if "but found '<scalar>'" in words:
        return _after_a_value(text, index)
    return _Trap(*_explained(text, words, context, index), index)


def _explained(text: str, words: str, context: str, index: int) -> tuple[str, str]:
    sign = text[index : index + 1]
    if words.startswith("expected '<document start>'"):
        return _second_document(text, index)
    if "cannot start any token" in words or words.startswith("expected the node content"):
        return "FX110", f"unquoted text cannot begin with '{sign}': put it in quotes"
    if words.startswith("sequence entries are not allowed"):
        return "FX110", "'- ' begins a list entry: start the list on a new line, or put the text in quotes"
    if "keys are not allowed" in words:
        return "FX110", "'? ' means something to YAML: put the text in quotes"
    if "quoted scalar" in context:
        return "FX104", f"a quoted text cannot be read here ({words}): is a quote missing?"
    if "but found '<block mapping start>'" in words or "but found '<block sequence start>'" in words:
        return "FX111", "this line is indented differently from its neighbours: let it begin in their column"
    if sign and sign in "}]":
        return "FX104", f"'{sign}' closes a bracket that was not opened: delete it, or put the text in quotes"
    if re.match(r"-\S", text[index:]):
        return "FX104", "a space is missing after '-'"
    if "but found '?'" in words:
        return "FX111", _MISPLACED_KEY
    return "FX104", f"this is not YAML: {words or 'it cannot be read'}"


def _between_brackets(text: str, sign: str, index: int, opened: int) -> _Trap:
    """Between brackets: one is not closed, a quote is misplaced, or text needs quotes."""
    if not sign or sign in "\r\n" or _is_next_key(text, index, opened):
        return _Trap("FX104", "a bracket that is opened here is not closed", opened)
    if sign in "}]":
        return _Trap("FX104", f"'{sign}' does not close the '{text[opened]}' that was opened last", index)
    quoted = _quoted_before(text, index)
    if quoted is not None and (unclosed := _unclosed(quoted)):
        return unclosed
    if quoted is not None:
        return _Trap("FX110", f"the quoted text has ended before '{sign}': {_QUOTES}, or put a comma between", index)
    remedy = "put the whole text in quotes" + (", or a comma before the next key" if sign == ":" else "")
    return _Trap("FX110", f"'{sign}' ends unquoted text between brackets: {remedy}", index)


def _is_next_key(text: str, index: int, opened: int) -> bool:
    """Whether that character belongs to the key at the beginning of a line below the bracket's."""
    begin = index - len(_line_before(text, index))
    key = _KEY.match(text, begin)
    return opened < begin and key is not None and index < key.end()


def _after_a_value(text: str, index: int) -> _Trap:
    """Text where a value has ended: with a bracket or a quote that its author did not mean to end it."""
    quoted = _quoted_before(text, index)
    if quoted is not None and (unclosed := _unclosed(quoted)):
        return unclosed
    before = _line_before(text, index).rstrip()
    if before.endswith(("}", "]")):
        return _Trap("FX110", f"text goes on after '{before[-1]}': put the whole text in quotes", index)
    return _Trap("FX104", "text follows where a value has ended: look at the quotes and the indentation", index)


def _quoted_before(text: str, index: int) -> yaml.ScalarToken | None:
    """The quoted text that ends right before that character, if one does."""
    last: yaml.Token | None = None
    for token in yaml.scan(text):  # it ends there: nothing after the mistake is read
        if token.start_mark.index >= index:
            break
        last = token
    return last if isinstance(last, yaml.ScalarToken) and not last.plain else None


def _unclosed(quoted: yaml.ScalarToken) -> _Trap | None:
    """The finding for a quoted text over several lines, whose end was meant to begin another."""
    if quoted.start_mark.line == quoted.end_mark.line:
        return None
    message = f"a quote is missing: the text that begins here ends only in line {quoted.end_mark.line + 1}"
    return _Trap("FX104", message, quoted.start_mark.index)


def _line_before(text: str, index: int) -> str:
    return str(re.split(_LINE_BREAK, text[:index])[-1])


def _colon(text: str, index: int) -> _Trap:
    """A colon too many: within text on the same line, or the key of a line that is indented wrongly."""
    line = _line_before(text, index)
    if re.search(r":\s", line):
        return _Trap("FX110", "': ' in unquoted text begins a value: put the whole text in quotes", index)
    return _Trap("FX111", _MISPLACED_KEY, index - len(line.lstrip()))


def _second_document(text: str, index: int) -> tuple[str, str]:
    if re.search(r"^\.\.\.", text[:index], re.MULTILINE):
        return "FX109", "text follows the document's end ('...'): one file holds one document"
    return "FX111", _MISPLACED_KEY
