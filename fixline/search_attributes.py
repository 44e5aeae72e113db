"""The search attributes of a request's workflow: their names and types in Temporal, and what changes of them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from fixline.messages import Attributes

KEYWORDS: dict[str, SearchAttributeKey[str]] = {
    name: SearchAttributeKey.for_keyword(f"Fixline{name.capitalize()}")
    for name in ("type", "department", "team", "area", "status", "priority")
}
DUE: SearchAttributeKey[datetime] = SearchAttributeKey.for_datetime("FixlineDue")
LONGEST = 255
"""Characters of a Keyword, which the server would refuse to exceed."""


def at_start(attributes: Attributes) -> TypedSearchAttributes:
    """The attributes with which a workflow is started."""
    return TypedSearchAttributes([SearchAttributePair(key, value) for key, value in _values(attributes) if value])


def changes(has: TypedSearchAttributes, wanted: Attributes) -> list[SearchAttributeUpdate[Any]]:
    """What has to be set or taken away, given what the workflow has."""
    differing = ((key, value) for key, value in _values(wanted) if value != has.get(key))
    return [key.value_unset() if value is None else key.value_set(value) for key, value in differing]


def _values(attributes: Attributes) -> Iterator[tuple[SearchAttributeKey[Any], Any]]:
    """Every key with its value, None for one that the workflow is not to have."""
    for name, key in KEYWORDS.items():
        yield key, (getattr(attributes, name) or "")[:LONGEST] or None
    yield DUE, attributes.due
