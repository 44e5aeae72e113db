"""The one table of everything that `fixline check` can find.

Owns each finding's stable code, its rule and what to do about it. The checker raises no code that is not
here, and the documentation is made from it. Must not import anything of Fixline. Codes are never reused or
renumbered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Code:
    """One kind of finding: its stable code, a title, the rule it holds and the way to mend a breach."""

    code: str
    title: str
    rule: str
    remedy: str


# fmt: off
_TABLE: Final = (
    # files and YAML
    Code("FX101", "File cannot be read", "A path that is checked exists and can be read.",
         "Correct the path, or the file's permissions."),
    Code("FX102", "Not UTF-8", "Files are text in UTF-8.", "Save the file as UTF-8."),
    Code("FX103", "Empty file", "A file holds one document.", "Write the file, or delete it."),
    Code("FX104", "Not YAML", "A file is YAML that can be read.",
         "Look at the place named: a bracket, a quote or a colon is missing, or one too many."),
    Code("FX105", "Tab", "Lines are indented with spaces.", "Replace the tab by spaces."),
    Code("FX106", "Key given twice", "A key stands once in its section.", "Keep one of the two."),
    Code("FX107", "Anchor or alias", "There are no anchors (&), aliases (*) or merge keys (<<).",
         "Write the value out; put text that begins with & or * in quotes."),
    Code("FX108", "Tag or directive", "There are no tags (!) and no directives (%).",
         "Leave it out; put text that begins with ! in quotes."),
    Code("FX109", "Several documents", "A file holds exactly one document.",
         "Move what follows '---' or '...' into a file of its own."),
    Code("FX110", "Text needs quotes",
         "Unquoted text holds no comma, '?', bracket, ': ' or ' #' that YAML reads as its own.",
         "Put the whole text in double quotes."),
    Code("FX111", "Wrong indentation", "Keys of one section start in one column.",
         "Align the line with its neighbours, or indent it below the key it belongs to."),
    Code("FX112", "Too large or too deep", "A file has at most 512,000 characters and 30 levels.",
         "Divide the file."),
    Code("FX113", "Key is no word", "A key is plain text.", "Write a word before the colon."),
    Code("FX114", "Unreadable character", "Text holds no control characters.", "Delete the character."),
    # keys and values
    Code("FX201", "Unknown key", "Only keys of the language are written; none is accepted and not enforced.",
         "Correct the spelling, or leave the key out."),
    Code("FX202", "Key missing", "What a section needs is there.", "Add the key."),
    Code("FX203", "Wrong shape", "A section, a list or a text stands where the language has one.",
         "Write it in the shape that the message shows."),
    Code("FX204", "Not one of the words", "A word of a closed list is one of that list.",
         "Use one of the words that the message names."),
    Code("FX205", "Not such a number", "A number is written in digits, without quotes, within its limits.",
         "Write a number within the limits."),
    Code("FX206", "Neither true nor false", "A switch is true or false.", "Write true or false."),
    Code("FX207", "Unusable name", "Names are lower-case letters, digits, '_' or '-', and not reserved.",
         "Choose another name."),
    Code("FX208", "Empty value", "A key that is written has a value.",
         "Write the value, or leave the key out."),
    Code("FX209", "Unreadable length of time", "A length of time is a number and a unit.",
         "Write for example '4 working hours', '2 working days' or '7 calendar days'."),
    Code("FX210", "File in the wrong place",
         "A definition is <department>/<type>.yaml; a calendar is calendars/<name>.yaml.",
         "Rename or move the file, or correct the name in it."),
    Code("FX211", "Type defined twice", "A type has one definition.", "Keep one of the two files."),
    Code("FX212", "Options do not fit", "choice and choices have options, other kinds have none.",
         "Add options, or correct the kind."),
    Code("FX213", "Limits do not fit", "min and max stand on numbers, and min is not above max.",
         "Correct the limits or the kind."),
    Code("FX214", "Same name, other question", "A name asked twice has one kind and one set of options.",
         "Use the same kind and options, or another name."),
    Code("FX215", "Required for no outcome", "required_for names outcomes of its step.",
         "Use an outcome of the step's then."),
    Code("FX216", "Exactly one is needed", "Of keys that exclude each other exactly one is given.",
         "Keep one of the keys that the message names."),
    Code("FX217", "Entry given twice", "A list names each entry once.", "Delete the second entry."),
    # references
    Code("FX301", "No such department", "A department is one of organisation.yaml.",
         "Correct the name, or add the department to organisation.yaml."),
    Code("FX302", "No such calendar", "A calendar is a file of definitions/calendars.",
         "Correct the name, or add the calendar."),
    Code("FX303", "No such team", "A team is one of organisation.yaml.",
         "Correct the name, or add the team to organisation.yaml."),
    Code("FX304", "No such area layer", "An area layer is a file of definitions/areas.",
         "Correct the name, or add the layer."),
    Code("FX305", "Team of an area missing", "A team chosen by area exists for every area of the layer.",
         "Add the teams that the message names to organisation.yaml."),
    Code("FX306", "Team's pattern without the layer", "The pattern holds {layer}, and no other braces.",
         "Write for example \"asphalt-{district}\"."),
    Code("FX307", "Nobody answers", "A role that is told is held in the team, its department or the city.",
         "Name a person for the role in organisation.yaml, or tell another role."),
    Code("FX308", "No such step", "A step that is named exists.", "Correct the name, or add the step."),
    # flow
    Code("FX401", "Unreachable step", "Every step can be reached from the start.",
         "Lead an outcome to the step, or delete it."),
    Code("FX402", "Step that can never close", "From every step a close step can be reached.",
         "Lead an outcome towards a close step."),
    Code("FX403", "No close step", "A definition has at least one close step.",
         "Add a step such as: done: {close: fixed}."),
    Code("FX404", "Endless automatic cycle", "Steps that choose by themselves do not lead round in a circle.",
         "Put a step that people do, or a wait, into the circle."),
    Code("FX405", "Reserved outcome", "timeout, no_reply, not_sampled and otherwise are the engine's own.",
         "Use another name for the outcome."),
    Code("FX406", "Outcome leads nowhere", "Every outcome of a step leads to a step, and no other is named.",
         "Give each outcome its step; delete those that cannot happen."),
    Code("FX407", "No 'otherwise' at the end", "A list of conditions ends with otherwise, and only there.",
         "Let the last entry be the one with otherwise."),
    Code("FX450", "Reopens at a close", "A reopened request goes on at a step where work is done.",
         "Name a step that does not close."),
    Code("FX451", "Nobody may reopen", "reopen names at least one who may.", "Write reporter, supervisor or both."),
    Code("FX452", "Told of what cannot happen", "The reporter is told of a reopening where requests can be reopened.",
         "Add reopen, or leave reopened out of notify."),
    # conditions
    Code("FX501", "Condition cannot be read", "A condition is an expression such as \"depth >= 10\".",
         "Look at the place named."),
    Code("FX502", "No such answer", "A condition names questions of the intake or of forms.",
         "Correct the name, or ask the question."),
    Code("FX503", "No such option", "A choice is compared with one of its options.",
         "Use one of the options' keys."),
    Code("FX504", "Cannot be compared", "A condition compares like with like.",
         "Compare numbers with numbers, dates with dates, choices with their options."),
    Code("FX505", "Neither yes nor no", "A condition comes to yes or no for any answers.",
         "Compare the answer with something."),
    Code("FX506", "Not for conditions", "Conditions neither calculate nor know the time.",
         "Use comparisons, &&, ||, !, in, size, startsWith, endsWith and contains."),
    # deadlines
    Code("FX601", "Nothing can meet it", "A deadline is met by a step that people complete, or by closing.",
         "Name an inspection, dispatch or task step, or 'closed'."),
    Code("FX602", "Pause that nothing enters", "A deadline pauses while on_hold or in a step's waiting_as.",
         "Use the waiting_as of a step."),
    Code("FX603", "Ladder out of order", "Rungs stand in the order of time: shares, due, then after due.",
         "Sort the rungs."),
    Code("FX604", "Rung outside its limits", "A share is 1% to 99%; a rung fires 1 to 100 times.",
         "Use a number within the limits, or 'due' for 100%."),
    Code("FX605", "Repeating without an end", "every, up_to and after belong together.",
         "Give all three, or after alone."),
    Code("FX606", "Which days?", "A length of time says working or calendar.",
         "Write 'working days' or 'calendar days'."),
    Code("FX607", "Rung that does nothing", "A rung tells a role or raises the priority.",
         "Add tell or raise_priority."),
    # organisation, calendars, areas
    Code("FX701", "No organisation", "The definitions' root holds organisation.yaml.",
         "Add organisation.yaml, or give the right folder."),
    Code("FX702", "Unknown time zone", "A time zone is an IANA name.", "Write for example America/Chicago."),
    Code("FX703", "Team without members", "A team has at least one member.", "Name its members."),
    Code("FX704", "Opening hours do not fit", "Hours and the day's length can be read and do not overlap.",
         "Write hours like \"08:00-16:30\" and days like '8 hours'."),
    Code("FX705", "Calendar never opens", "A calendar opens on at least one day of the week.",
         "Give a weekday its hours."),
    Code("FX706", "Unusable date", "A date is written 2026-03-31; one date has one exception.",
         "Correct the date."),
    Code("FX707", "Not GeoJSON", "An area file is a GeoJSON FeatureCollection.",
         "Export the layer as GeoJSON."),
    Code("FX708", "Unusable area", "An area is a valid polygon in degrees, with its own key and title.",
         "Correct the feature that the message names."),
    # scenarios
    Code("FX801", "Scenarios without a definition",
         "A scenario file <type>.scenarios.yaml stands beside its definition <type>.yaml and names its type.",
         "Correct the type or the file's name, or move the file."),
    Code("FX802", "Unreadable time",
         "A time is a weekday with a time, a date with a time, a time of day, or '+' with a length of time.",
         "Write for example 'Mon 08:00', '2026-11-20 16:00', '09:00' or '+2 working hours'."),
    Code("FX803", "Time goes back", "The lines of a scenario stand in the order of time.",
         "Sort the lines, or correct the time."),
    Code("FX804", "Not one action", "A line of a scenario has one action, or expects something, or both.",
         "Write each action in a line of its own; write an action where a refusal is expected."),
    Code("FX805", "Action does not fit", "What stands at an action and beside it is what its command takes.",
         "Correct the value that the message names."),
    Code("FX806", "Not such an answer", "Answers and forms name what is asked, with values of its kind.",
         "Correct the name or the value, or ask the question."),
    Code("FX807", "No such outcome", "A step is completed with one of its outcomes.",
         "Use an outcome of the step's then; where a refusal is expected, say refused."),
    Code("FX808", "No such clock",
         "A clock is a deadline of the definition, or <step>.claim or <step>.due of a step that has such a limit.",
         "Correct the name, or add the deadline."),
    Code("FX809", "Nobody of that name", "by names a role or a member of a team.",
         "Write crew, supervisor, reporter, service, admin or system, or a member of a team of organisation.yaml."),
    Code("FX810", "Nothing is expected", "A scenario file has scenarios, and each expects something.",
         "Add expect, such as expect: {closed: fixed}."),
)

# fmt: on

CODES: Final[dict[str, Code]] = {entry.code: entry for entry in _TABLE}
"""Every code by its name, in order."""
