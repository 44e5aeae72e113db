"""Plays a scenario: its lines in virtual time, through the same `advance` as everything else, up to its journal and its
mismatches. Instants are aware UTC.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime

from fixline.catalog.scenarios import model
from fixline.catalog.scenarios.model import Action, Line, Scenario
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.journal.entry import Entry
from fixline.domain.journal.state import RequestState
from fixline.domain.process import commands
from fixline.domain.process.commands import SYSTEM, Actor, Command, EffectResult, FollowOnClosed, Role
from fixline.domain.process.decision import Decision, Refusal
from fixline.domain.process.kinds.call import CallStep
from fixline.domain.process.kinds.human import HumanStep, in_sample
from fixline.domain.process.virtual import NeverRests, VirtualRequest, follow_on_results
from fixline.rehearsal.look import Mismatch, World, look

CREW = "crew"
OTHER = "SR99-{:08d}"
"""Reports that are attached to the request: they come after it."""


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


def play(scenario: Scenario, definition: Definition) -> Played:
    """Play every line of a scenario of this definition, up to the first that cannot go on."""
    player = _Player(scenario, definition)
    opening = Line(scenario.place, scenario.opened_at, refused=scenario.refused)
    if player.give(opening, player.scene(opening, "opened"), scenario.opened, scenario.actor):
        for line in scenario.lines:
            if not player.play(line):
                break
    return player.played


class _Player:
    """Plays one scenario of one definition, once. `state` is not to be asked for before the request is open."""

    def __init__(self, scenario: Scenario, definition: Definition) -> None:
        self._opened_at = scenario.opened_at
        self._request = VirtualRequest(definition, _number_for(definition, scenario.sampled))
        self._world = World(definition.calendar)
        self._tasks: dict[str, str] = {}
        self._others = 0  # how many reports have been attached to the request
        self.played = Played(scenario, definition)

    @property
    def state(self) -> RequestState:
        """The request now."""
        assert self._request.state is not None  # noqa: S101 - a scenario whose opening is refused has no more lines
        return self._request.state

    def scene(self, line: Line, text: str) -> Scene:
        """The scene of a line that begins to be played."""
        scene = Scene(line.at, text, tuple(f"{each.what}: {each.text}" for each in line.expect))
        self.played.scenes.append(scene)
        return scene

    def play(self, line: Line) -> bool:
        """Play one line; whether the scenario can go on."""
        scene = self.scene(line, line.action.text if line.action else "")
        try:  # ticks up to the line; what is due at its very instant happens after what is done then
            for decision in self._request.run_until(line.at, through=line.action is None):
                self._see(decision, scene)
        except NeverRests as problem:
            scene.mismatches.append(_wrong(line, "time", "the request to rest", str(problem)))
            return False
        if line.action is not None and not self._act(line, line.action, scene):
            return False
        found = (look(each, self._world, self.state) for each in line.expect)
        scene.mismatches += [each for each in found if each is not None]
        return True

    def _act(self, line: Line, action: Action, scene: Scene) -> bool:
        command, step = action.command, action.task_step
        if step is not None:
            task = self._tasks.get(step)
            if task is None and line.refused is None:
                open_now = model.listed({task.step for task in self.state.open_tasks})
                scene.mismatches.append(_wrong(line, action.text, f"a task of step {step}", open_now))
                return False
            command = command.model_copy(update={"task": task or f"{self._request.id}-T0"})
        if isinstance(command, model.Simulated):
            command = self._real(command)
        actor = action.actor
        if actor is None:
            teams = {task.team for task in self.state.tasks.values() if task.step == step}
            actor = Actor(name=CREW, role=Role.CREW, teams=tuple(sorted(teams)))
        return self.give(line, scene, command, actor, action.target)

    def _real(self, command: model.Simulated) -> Command:
        """What stands for others' doings, with the ids that it has in this scenario."""
        match command:
            case model.CallAnswer(outcome=outcome, step=step):
                steps, at = self._request.definition.steps, self.state.positions
                calling = [each for each in at if isinstance(steps.get(each.step), CallStep)]
                calling = [each for each in calling if step in (None, each.step)]
                name, visit = (calling[-1].step, calling[-1].visit) if calling else (step, None)
                return EffectResult(effect="", effect_kind="call", step=name, visit=visit, outcome=outcome)
            case model.FollowOnEnds(outcome=outcome, step=step):
                children = self.state.children.items()
                waited = [name for name, child in children if child.status == "open" and step in (None, child.step)]
                return FollowOnClosed(child=waited[-1] if waited else model.NOTHING, outcome=outcome)
            case model.AttachTo(reason=reason):
                return commands.Attach(to=model.original_of(self._opened_at), reason=reason)
            case model.OriginalEnds(outcome=outcome):
                original = self.state.attached_to or model.NOTHING
                if outcome == "reopened":
                    return commands.OriginalReopened(original=original)
                return commands.OriginalClosed(original=original, outcome=CloseOutcome(outcome))
            case model.OtherReport(what="attached"):
                self._others += 1
                return commands.DuplicateAttached(duplicate=OTHER.format(self._others))
            case model.OtherReport():
                attached = self.state.attached
                return commands.DuplicateDetached(duplicate=attached[-1] if attached else model.NOTHING)

    def give(self, line: Line, scene: Scene, command: Command, actor: Actor, target: Definition | None = None) -> bool:
        """Give the command; whether the scenario can go on after the answer."""
        result = self._request.give(command, line.at, actor, target)
        if isinstance(result, Refusal):
            scene.note = f"refused: {result.code}"
            if line.refused != result.code:
                told = "; ".join([result.message, *(f"{each.field} {each.message}" for each in result.fields)])
                wanted = f"refused: {line.refused}" if line.refused else "it to be accepted"
                scene.mismatches.append(_wrong(line, scene.text, wanted, f"refused: {result.code} ({told})"))
            return line.refused is not None and self._request.state is not None
        self._see(result, scene)
        if line.refused:
            scene.mismatches.append(_wrong(line, scene.text, f"refused: {line.refused}", "it was accepted"))
        return not line.refused

    def _see(self, decision: Decision, scene: Scene) -> None:
        scene.entries += decision.entries
        self._world.see(decision)
        self._tasks |= {task.step: task.id for task in decision.tasks}
        for report in follow_on_results(decision):
            opened = self._request.give(report, decision.at, SYSTEM)
            if isinstance(opened, Decision):
                self._see(opened, scene)


def _number_for(definition: Definition, sampled: frozenset[str]) -> str:
    """The first request's number whose sampled inspections are these, at their first visits."""
    human = {name: step for name, step in definition.steps.items() if isinstance(step, HumanStep)}
    shares = {name: step.sample for name, step in human.items() if step.sample is not None}
    numbers = map("SR26-{:08d}".format, itertools.count(1))
    return next(
        number
        for number in numbers
        if all(in_sample(number, name, 1, share) == (name in sampled) for name, share in shares.items())
    )


def _wrong(line: Line, what: str, expected: str, actual: str) -> Mismatch:
    return Mismatch(line.place.line, line.place.column, what, expected, actual)
