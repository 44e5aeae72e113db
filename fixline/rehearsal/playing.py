"""Plays a scenario: its lines in virtual time, through the same `advance` as everything else.

Owns the way from a scenario to what came of it: the journal, the mismatches, what was reached. It prints nothing.
Instants are aware UTC.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime

from fixline.catalog.scenarios import Action, CallAnswer, FollowOnEnds, Line, Scenario
from fixline.catalog.scenarios.actions import AttachTo, OriginalEnds, OtherReport, Simulated, original_of
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.journal.entry import Entry
from fixline.domain.process.commands import SYSTEM, Actor, Command, EffectResult, FollowOnClosed, Role
from fixline.domain.process.decision import Decision, Refusal
from fixline.domain.process.kinds.call import CallStep
from fixline.domain.process.kinds.human import HumanStep, in_sample
from fixline.domain.process.virtual import NeverRests, VirtualRequest, follow_on_results
from fixline.domain.relations.commands import (
    Attach,
    DuplicateAttached,
    DuplicateDetached,
    OriginalClosed,
    OriginalReopened,
)
from fixline.rehearsal.look import Mismatch, World, look

REQUEST_ID = "SR26-{:08d}"
CREW = "crew"
OTHER = "SR99-{:08d}"
"""Reports that are attached to the request: they come after it."""
NOBODY = "none"


@dataclass
class Scene:
    """One line as it was played: what was written, what happened up to it, what did not fit."""

    at: datetime
    text: str
    expected: tuple[str, ...] = ()
    entries: list[Entry] = field(default_factory=list)
    mismatches: list[Mismatch] = field(default_factory=list)
    note: str = ""


@dataclass
class Played:
    """A scenario after its end."""

    scenario: Scenario
    definition: Definition
    scenes: list[Scene] = field(default_factory=list)

    @property
    def mismatches(self) -> list[Mismatch]:
        """Everything that was not as expected, in order."""
        return [each for scene in self.scenes for each in scene.mismatches]

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.mismatches

    @property
    def entries(self) -> list[Entry]:
        """The whole journal."""
        return [entry for scene in self.scenes for entry in scene.entries]


class Player:
    """Plays one scenario of one definition, once."""

    def __init__(self, scenario: Scenario, definition: Definition) -> None:
        self._scenario = scenario
        self._id = number_for(definition, scenario.sampled)
        self._request = VirtualRequest(definition, self._id)
        self._world = World(definition.calendar)
        self._tasks: dict[str, str] = {}
        self._others = 0  # how many reports have been attached to the request
        self.played = Played(scenario, definition)

    def play(self) -> Played:
        """Play every line, up to the first that cannot go on."""
        scenario = self._scenario
        opening = Scene(scenario.opened_at, "opened")
        self.played.scenes.append(opening)
        first = Line(scenario.place, scenario.opened_at, refused=scenario.refused)
        if self._give(first, opening, scenario.opened, scenario.actor):
            for line in scenario.lines:
                if not self._play(line):
                    break
        return self.played

    def _play(self, line: Line) -> bool:
        text = line.action.text if line.action else ""
        scene = Scene(line.at, text, tuple(_shown(each.key, each.name, each.text) for each in line.expect))
        self.played.scenes.append(scene)
        going = self._pass_time(line, scene)
        if going and line.action:
            going = self._act(line, line.action, scene)
        state = self._request.state
        if going and state is not None:
            found = (look(each, self._world, state) for each in line.expect)
            scene.mismatches += [each for each in found if each is not None]
        return going

    def _pass_time(self, line: Line, scene: Scene) -> bool:
        """Ticks up to the line; what is due at its very instant happens after what is done then."""
        try:
            decisions = self._request.run_until(line.at, through=line.action is None)
        except NeverRests as problem:
            scene.mismatches.append(_wrong(line, "time", "the request to rest", str(problem)))
            return False
        for decision in decisions:
            self._see(decision, scene)
        return True

    def _act(self, line: Line, action: Action, scene: Scene) -> bool:
        command, actor = action.command, action.actor
        if action.task_step is not None:
            task = self._tasks.get(action.task_step)
            if task is None and line.refused is None:
                open_now = ", ".join(sorted(self._open_steps())) or "none"
                scene.mismatches.append(_wrong(line, action.text, f"a task of step {action.task_step}", open_now))
                return False
            command = command.model_copy(update={"task": task or f"{self._id}-T0"})
        if isinstance(command, Simulated):
            command = self._real(command)
        return self._give(line, scene, command, actor or self._crew(action.task_step), action.target)

    def _real(self, command: Simulated) -> Command:
        """What stands for others' doings, with the ids that it has in this scenario."""
        state = self._request.state
        match command:
            case CallAnswer():
                return self._report(command)
            case FollowOnEnds():
                return FollowOnClosed(child=self._child(command.step), outcome=command.outcome)
            case AttachTo():
                return Attach(to=original_of(self._scenario.opened_at), reason=command.reason)
            case OriginalEnds():
                original = (state.attached_to if state else None) or NOBODY
                if command.outcome == "reopened":
                    return OriginalReopened(original=original)
                return OriginalClosed(original=original, outcome=CloseOutcome(command.outcome))
            case OtherReport():
                attached = state.attached if state else ()
                if command.what == "attached":
                    self._others += 1
                    return DuplicateAttached(duplicate=OTHER.format(self._others))
                return DuplicateDetached(duplicate=attached[-1] if attached else NOBODY)

    def _report(self, answer: CallAnswer) -> EffectResult:
        """The answer of a called system, as the effect that called it reports it."""
        state, steps = self._request.state, self._request.definition.steps
        calling = [
            (position.step, position.visit)
            for position in (state.positions if state else ())
            if isinstance(steps.get(position.step), CallStep) and answer.step in (None, position.step)
        ]
        step, visit = calling[-1] if calling else (answer.step, None)
        return EffectResult(effect="", effect_kind="call", step=step, visit=visit, outcome=answer.outcome)

    def _child(self, step: str | None) -> str:
        """The follow-on that is waited for (at that step, if it is named)."""
        state = self._request.state
        open_now = [
            name
            for name, child in (state.children if state else {}).items()
            if child.status == "open" and step in (None, child.step)
        ]
        return open_now[-1] if open_now else NOBODY

    def _open_steps(self) -> set[str]:
        state = self._request.state
        return {task.step for task in state.open_tasks} if state else set()

    def _crew(self, step: str | None) -> Actor:
        """A crew member of the team that has the task now."""
        state = self._request.state
        teams = {task.team for task in state.tasks.values() if task.step == step} if state else set()
        return Actor(name=CREW, role=Role.CREW, teams=tuple(sorted(teams)))

    def _give(self, line: Line, scene: Scene, command: Command, actor: Actor, target: Definition | None = None) -> bool:
        """Give the command; whether the scenario can go on after the answer."""
        result = self._request.give(command, line.at, actor, target)
        what = scene.text or "opened"
        if isinstance(result, Refusal):
            scene.note = f"refused: {result.code}"
            if line.refused != result.code:
                told = "; ".join([result.message, *(f"{each.field} {each.message}" for each in result.fields)])
                wanted = f"refused: {line.refused}" if line.refused else "it to be accepted"
                scene.mismatches.append(_wrong(line, what, wanted, f"refused: {result.code} ({told})"))
            return line.refused is not None and self._request.state is not None
        self._see(result, scene)
        if line.refused:
            scene.mismatches.append(_wrong(line, what, f"refused: {line.refused}", "it was accepted"))
        return not line.refused

    def _see(self, decision: Decision, scene: Scene) -> None:
        scene.entries += decision.entries
        self._world.see(decision)
        for task in decision.tasks:
            self._tasks[task.step] = task.id
        for report in follow_on_results(decision):
            opened = self._request.give(report, decision.at, SYSTEM)
            if isinstance(opened, Decision):
                self._see(opened, scene)


def number_for(definition: Definition, sampled: frozenset[str]) -> str:
    """The first request's number whose sampled inspections are these, at their first visits."""
    shares = {
        name: step.sample
        for name, step in definition.steps.items()
        if isinstance(step, HumanStep) and step.sample is not None
    }
    numbers = map(REQUEST_ID.format, itertools.count(1))
    return next(
        number
        for number in numbers
        if all(in_sample(number, name, 1, share) == (name in sampled) for name, share in shares.items())
    )


def play(scenario: Scenario, definition: Definition) -> Played:
    """Play a scenario of this definition."""
    return Player(scenario, definition).play()


def _wrong(line: Line, what: str, expected: str, actual: str) -> Mismatch:
    return Mismatch(line.place.line, line.place.column, what, expected, actual)


def _shown(key: str, name: str | None, text: str) -> str:
    return f"{key}{f' of {name}' if name else ''}: {text}"
