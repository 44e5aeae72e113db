"""The search attributes of a request's workflow: their names and types in Temporal, and what changes of them."""

from datetime import datetime

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
    pairs: list[SearchAttributePair[str] | SearchAttributePair[datetime]] = [
        SearchAttributePair(key, value) for name, key in KEYWORDS.items() if (value := _keyword(attributes, name))
    ]
    if attributes.due is not None:
        pairs.append(SearchAttributePair(DUE, attributes.due))
    return TypedSearchAttributes(pairs)


def changes(has: TypedSearchAttributes, wanted: Attributes) -> list[SearchAttributeUpdate]:  # type: ignore[type-arg]
    """What has to be set or taken away, given what the workflow has."""
    found: list[SearchAttributeUpdate] = []  # type: ignore[type-arg]
    for name, key in KEYWORDS.items():
        value = _keyword(wanted, name)
        if value != has.get(key):
            found.append(key.value_set(value) if value else key.value_unset())
    if wanted.due != has.get(DUE):
        found.append(DUE.value_set(wanted.due) if wanted.due is not None else DUE.value_unset())
    return found


def _keyword(attributes: Attributes, name: str) -> str | None:
    value: str | None = getattr(attributes, name)
    return value[:LONGEST] if value else None
