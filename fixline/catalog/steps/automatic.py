"""Reads the steps that go on by themselves: choose, close."""

from __future__ import annotations

from fixline.catalog.shape import Section, section_of
from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.process.kinds.choose import ChooseBranch, ChooseStep
from fixline.domain.process.kinds.close import CloseStep


def read_choose(section: Section) -> ChooseStep | None:
    """A step that takes the first branch whose condition holds."""
    branches: list[ChooseBranch] = []
    items = section.items("choose", required=True)
    entries = [section_of(item, "a branch", section.findings) for item in items or ()]
    check_otherwise(section, "choose", "go", entries)
    for body in entries:
        if body is None:
            continue
        when, go = body.text("when"), body.text("go")
        otherwise = body.text("otherwise")
        body.finish("a branch of choose")
        target = otherwise or go
        if when is not None and go is None:
            body.findings.add("FX202", body.owner, "the key 'go' is missing: the step that follows")
        if target is not None:
            branches.append(ChooseBranch(when=when.text if when else None, go=target.text))
    section.finish("a choose step")
    return ChooseStep(branches=tuple(branches)) if branches else None


def check_otherwise(section: Section, key: str, result: str, entries: list[Section | None]) -> None:
    """A list of conditions ends with the entry that holds otherwise, and only there."""
    for position, body in enumerate(entries):
        if body is None:
            continue
        last = position == len(entries) - 1
        if body.has("otherwise") and body.has(result):
            message = f"'otherwise' has its value itself: leave '{result}' out"
            body.findings.add("FX216", body.key_place(result), message)
        if body.has("otherwise") and body.has("when"):
            message = "'when' and 'otherwise' exclude each other: give each its own entry"
            body.findings.add("FX216", body.key_place("otherwise"), message)
        elif body.has("otherwise") and not last:
            message = "'otherwise' stands last: the entries after it would never be looked at"
            body.findings.add("FX407", body.key_place("otherwise"), message)
        elif not body.has("when") and not body.has("otherwise"):
            body.findings.add("FX202", body.owner, "the key 'when' (or 'otherwise') is missing")
        elif last and not body.has("otherwise"):
            body.findings.add("FX407", body.owner, f"'{key}' ends with an entry 'otherwise'")
    if not entries and section.has(key) and section.items(key) is not None:
        section.findings.add("FX407", section.key_place(key), f"'{key}' ends with an entry 'otherwise'")


def read_close(section: Section) -> CloseStep:
    """A step that closes the request."""
    outcome = section.word("close", CloseOutcome, required=True)
    say = section.text("say")
    section.finish("a close step")
    return CloseStep(outcome=outcome or CloseOutcome.FIXED, say=say.text if say else "")
