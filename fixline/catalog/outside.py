"""Who is reached outside Fixline: the agencies and the departments' own systems of organisation.yaml. A secret is
never in a file: a file names the environment's variable."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field

from fixline.catalog.grammar import Grammar, Key, Values, of_text
from fixline.catalog.shape import Section, Written
from fixline.domain.definition.fields import Part

SECRET_PREFIX = "FIXLINE_SECRET_"  # noqa: S105 - the name of variables, not a secret
"""Every variable that a definition may name begins so: no other part of the environment can be read by a file."""
_SECRET = re.compile(rf"{SECRET_PREFIX}[A-Z0-9_]{{1,80}}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
_LONGEST_URL = 500


class Webhook(Part):
    """An address that signed messages are sent to, and the variable that holds the secret they are signed with."""

    url: str = Field(description="Where messages are sent.")
    secret_from: str = Field(description="The environment's variable with the secret.")


class Agency(Part):
    """A party outside the city's departments: how it is reached, and whether it ever answers."""

    key: str
    title: str
    webhook: Webhook | None = Field(None, description="Reached by signed messages over HTTPS.")
    email: str | None = Field(None, description="Reached by e-mail.")
    reports_back: bool = Field(description="Whether it says what came of it.")


class System(Part):
    """A department's own system, which `call` steps ask."""

    key: str
    title: str
    url: str = Field(description="Where calls are sent.")
    secret_from: str = Field(description="The environment's variable with the secret.")


def _address(url: Written, section: Section) -> str:
    problem = _problem_of(url.text)
    if problem:
        section.findings.add("FX710", url.place, f"'url' {problem}")
    return url.text


def _problem_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return "cannot be read as an address"
    if parts.scheme not in ("https", "http") or not parts.hostname or not port_fits:
        return "begins with https:// and a host's name"
    if parts.username is not None or parts.password is not None:
        return "holds no name and no password: use 'secret_from'"
    if parts.fragment or re.search(r"\s", url) or len(url) > _LONGEST_URL:
        return f"has no '#', no blanks and at most {_LONGEST_URL} characters"
    return None


def _secret(written: Written, section: Section) -> str:
    """The name of the variable that holds a secret, and is there for nothing else."""
    if not _SECRET.fullmatch(written.text):
        message = f"'{written.text}' is no name for a secret's variable: write {SECRET_PREFIX} and capitals"
        section.findings.add("FX712", written.place, message)
    return written.text


def _email(written: Written, section: Section) -> str:
    if not _EMAIL.fullmatch(written.text):
        section.findings.add("FX711", written.place, f"'{written.text}' is no e-mail address")
    return written.text


def _check_one_way(section: Section, _: Values) -> None:
    ways = section.written(("webhook", "email"))
    if len(ways) != 1:
        place = section.key_place("email") if ways else section.owner
        section.findings.add("FX216", place, "an agency is reached in one way: give either 'webhook' or 'email'")


_CALLED: dict[str, Key] = {"url": of_text(_address), "secret_from": of_text(_secret)}
NOTICES = Grammar(Webhook, "'notices'", _CALLED).below()
"""The system that tells people what they are told, instead of the log."""
AGENCY = Grammar(
    Agency,
    "an agency",
    {"key": None, "webhook": Grammar(Webhook, "'webhook'", _CALLED).below(), "email": of_text(_email)},
    later=("open311",),
    check=_check_one_way,
)
SYSTEM = Grammar(System, "a system", {"key": None, **_CALLED})
