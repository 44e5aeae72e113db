"""The search attributes of a request's workflow: their names and types in Temporal, and what changes of them.

Imports temporalio and the messages only, as the shell that uses it.
"""

from datetime import datetime

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from fixline.messages import Attributes

KEYWORDS: dict[str, SearchAttributeKey[str]] = {
    "type": SearchAttributeKey.for_keyword("FixlineType"),
    "department": SearchAttributeKey.for_keyword("FixlineDepartment"),
    "team": SearchAttributeKey.for_keyword("FixlineTeam"),
    "area": SearchAttributeKey.for_keyword("FixlineArea"),
    "status": SearchAttributeKey.for_keyword("FixlineStatus"),
    "priority": SearchAttributeKey.for_keyword("FixlinePriority"),
}
DUE: SearchAttributeKey[datetime] = SearchAttributeKey.for_datetime("FixlineDue")
LONGEST = 255
"""Characters of a Keyword, which the server would refuse to exceed."""


def at_start(attributes: Attributes) -> TypedSearchAttributes:
    """The attributes with which a workflow is started."""
    pairs: list[SearchAttributePair[str] | SearchAttributePair[datetime]] = [
        SearchAttributePair(key, value[:LONGEST])
        for name, key in KEYWORDS.items()
        if (value := getattr(attributes, name))
    ]
    if attributes.due is not None:
        pairs.append(SearchAttributePair(DUE, attributes.due))
    return TypedSearchAttributes(pairs)


def changes(before: Attributes | None, now: Attributes) -> list[SearchAttributeUpdate]:  # type: ignore[type-arg]
    """What has to be set or taken away, given what the workflow has."""
    known = before or Attributes()
    found: list[SearchAttributeUpdate] = []  # type: ignore[type-arg]
    for name, key in KEYWORDS.items():
        value: str | None = getattr(now, name)
        if value != getattr(known, name):
            found.append(key.value_set(value[:LONGEST]) if value else key.value_unset())
    if now.due != known.due:
        found.append(DUE.value_set(now.due) if now.due is not None else DUE.value_unset())
    return found
