"""Takes values out of a section of a file, each in the kind that the language has at that place. Every key that is
asked for is known, every other is a finding. A value that does not fit is reported at its place and read as absent."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from fixline.catalog.findings import Findings, Place, one_of
from fixline.catalog.tree import Entry, Mapping, Node, Scalar, Sequence
from fixline.domain.deadlines.calendar import Span, SpanError
from fixline.errors import did_you_mean

NAME = re.compile(r"[a-z][a-z0-9_]*")
KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
LONGEST_NAME = 64
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,6})?")
_BARE_UNIT = re.compile(r"[+-]?[\d.]+ *(?:minutes?|hours?|days?|weeks?)")
span_parsed = lru_cache(maxsize=1024)(Span.parse)
"""The span that a text says; files use a few dozen texts again and again. Raises SpanError."""


Written = Scalar
"""A text that has been read: not empty."""


class Section:
    """One section of a file."""

    def __init__(self, tree: Mapping, findings: Findings, owner: Place | None = None) -> None:
        self.tree = tree
        self.findings = findings
        self._owner = owner
        self._asked: set[str] = set()
        self._missing: list[str] = []

    @property
    def owner(self) -> Place:
        """The place to name when a key is missing."""
        return self._owner or self.tree.place

    def entry(self, key: str, *, required: bool = False) -> Entry | None:
        """The key with its node; a finding when it is required and missing, or has no value."""
        self._asked.add(key)
        found = self.tree.entries.get(key)
        if found is None:
            if required:
                self._missing.append(key)
            return None
        value = found.value
        if isinstance(value, Scalar) and not value.text and value.plain:
            self.findings.add("FX208", found.place, f"'{key}' has no value: write it, or leave the key out")
            return None
        return found

    def text(self, key: str, *, required: bool = False) -> Written | None:
        """A text of any words."""
        found = self.entry(key, required=required)
        return None if found is None else text_of(found.value, f"'{key}'", self.findings)

    def string(self, key: str, *, required: bool = False) -> str | None:
        """A text without its place."""
        found = self.text(key, required=required)
        return None if found is None else found.text

    def number(self, key: str, *, whole: tuple[int, int] | None = None, required: bool = False) -> float | None:
        """A number in digits; with `whole` a whole number within these limits."""
        found = self.text(key, required=required)
        if found is None:
            return None
        if not found.plain or not _NUMBER.fullmatch(found.text):
            self.findings.add("FX205", found.place, f"'{key}' is a number, written in digits without quotes")
            return None
        value = float(found.text) if "." in found.text else int(found.text)
        if whole is not None and not (isinstance(value, int) and whole[0] <= value <= whole[1]):
            self.findings.add("FX205", found.place, f"'{key}' is a whole number from {whole[0]} to {whole[1]}")
            return None
        return value

    def switch(self, key: str, *, required: bool = False) -> bool:
        """Whether the switch is true; false when it is not written."""
        found = self.text(key, required=required)
        if found is None:
            return False
        if not found.plain or found.text not in {"true", "false"}:
            self.findings.add("FX206", found.place, f"'{key}' is true or false, not '{found.text}'")
        return found.text == "true"

    def section(self, key: str, *, required: bool = False) -> Section | None:
        """A section below the key."""
        found = self.entry(key, required=required)
        return None if found is None else section_of(found.value, f"'{key}'", self.findings, found.place)

    def items(self, key: str, *, required: bool = False) -> tuple[Node, ...] | None:
        """The entries of a list."""
        found = self.entry(key, required=required)
        if found is None:
            return None
        if not isinstance(found.value, Sequence):
            self.findings.add("FX203", found.value.place, f"'{key}' is a list, such as [first, second]")
            return None
        return found.value.items

    def texts(self, key: str, *, required: bool = False) -> tuple[Written, ...]:
        """A list of texts, each once."""
        listed: dict[str, Written] = {}
        for node in self.items(key, required=required) or ():
            found = text_of(node, f"an entry of '{key}'", self.findings)
            if found is None:
                continue
            if found.text in listed:
                self.findings.add("FX217", found.place, f"'{found.text}' is in the list twice")
            listed.setdefault(found.text, found)
        return tuple(listed.values())

    def named(
        self, what: str = "'{}'", form: re.Pattern[str] = NAME, reserved: Iterable[str] = ()
    ) -> Iterator[tuple[str, Section]]:
        """Each key, which is a name of one's own, with the section below it; `what` calls the section by the name."""
        for entry in self.tree:
            place = entry.place
            check_name(entry.key, place, form, self.findings, reserved)
            body = section_of(entry.value, what.format(entry.key), self.findings, place)
            if body is not None:
                yield entry.key, body

    def labels(self, what: str, form: re.Pattern[str] = NAME) -> Iterator[tuple[str, str | None]]:
        """Each key, which is a name of one's own, with the text beside it; `what` calls the text by the name."""
        for entry in self.tree:
            check_name(entry.key, entry.place, form, self.findings)
            found = text_of(entry.value, what.format(entry.key), self.findings)
            yield entry.key, None if found is None else found.text

    def has(self, key: str) -> bool:
        """Whether the key is written; it is known from now on."""
        self._asked.add(key)
        return key in self.tree.entries

    def written(self, keys: Iterable[str]) -> list[str]:
        """Those of the keys that are written, in the order given; all of them are known from now on."""
        self._asked.update(keys)
        return [key for key in keys if key in self.tree.entries]

    def key_place(self, key: str) -> Place:
        """Where the key stands; the owner's place when it does not."""
        found = self.tree.entries.get(key)
        return self.owner if found is None else found.place

    def value_place(self, key: str) -> Place:
        """Where the key's value begins; the owner's place when it is not written."""
        found = self.tree.entries.get(key)
        return self.owner if found is None else found.value.place

    def add(self, code: str, message: str, key: str = "") -> None:
        """Note a finding at the key; where none is given or it is not there, about the section."""
        self.findings.add(code, self.key_place(key), message)

    def finish(self, what: str, later: Collection[str] = ()) -> None:
        """Report the keys that were not asked for and those that are missing, once all have been asked for. `later`
        names keys that this release does not enforce. A misspelt key is one finding, not a second one for the key it
        was meant to be."""
        known = self._asked
        if not self._missing and self.tree.entries.keys() <= known:
            return
        unknown = [entry for entry in self.tree if entry.key not in known]
        meant = {near for entry in unknown for near in difflib.get_close_matches(entry.key, known, n=1)}
        for key in self._missing:
            if key not in meant:
                self.add("FX202", f"the key '{key}' is missing")
        for entry in unknown:
            if entry.key in later:
                message = f"'{entry.key}' is not supported by this release: leave it out"
            else:
                near = did_you_mean(entry.key, known) or f"; there are {one_of(sorted(known))}"
                message = f"{what} has no key '{entry.key}'{near}"
            self.findings.add("FX201", entry.place, message)


def text_of(node: Node, what: str, findings: Findings) -> Written | None:
    """The node's text; a finding when it is a list, a section or empty."""
    if not isinstance(node, Scalar):
        findings.add("FX203", node.place, f"{what} is a text: put it in quotes if it has brackets")
        return None
    if not node.text.strip():
        findings.add("FX208", node.place, f"{what} is empty")
        return None
    return node


def one_word(written: Written, words: Collection[str], findings: Findings) -> str | None:
    """The word of a closed list that is written."""
    if written.text in words:
        return written.text
    near = did_you_mean(written.text, words)
    findings.add("FX204", written.place, f"'{written.text}' is none of {', '.join(words)}{near}")
    return None


def span_of(written: Written, findings: Findings) -> Span | None:
    """The length of time that is written."""
    try:
        return span_parsed(written.text)
    except SpanError as problem:
        code = "FX606" if _BARE_UNIT.fullmatch(written.text.strip().lower()) else "FX209"
        findings.add(code, written.place, str(problem))
        return None


def section_of(node: Node, what: str, findings: Findings, owner: Place | None = None) -> Section | None:
    """The node as a section; a finding when it is a text or a list."""
    if isinstance(node, Mapping):
        return Section(node, findings, owner)
    findings.add("FX203", node.place, f"{what} is a section of keys with values")
    return None


def check_name(
    name: str, place: Place, form: re.Pattern[str], findings: Findings, reserved: Iterable[str] = ()
) -> bool:
    """Whether a text can be a name; a finding when it cannot."""
    if name in reserved:
        findings.add("FX207", place, f"'{name}' is reserved and cannot be a name here")
        return False
    if form.fullmatch(name) and len(name) <= LONGEST_NAME:
        return True
    signs = "letters a-z, digits and '_'" if form is NAME else "letters a-z, digits, '-' and '_'"
    start = ", beginning with a letter" if form is NAME else ""
    findings.add("FX207", place, f"'{name[:LONGEST_NAME]}' cannot be a name: use {signs}{start}")
    return False
