"""Who is reached outside Fixline: the agencies and the departments' own systems of organisation.yaml.

Owns their model and its reading. A secret is never in a file: a file names the environment's variable. Must not import
anything of Fixline but the reading of sections.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from fixline.catalog.shape import KEY, Section, Written, check_name, section_of

SECRET_PREFIX = "FIXLINE_SECRET_"  # noqa: S105 - the name of variables, not a secret
"""Every variable that a definition may name begins so: no other part of the environment can be read by a file."""
_FROZEN = ConfigDict(frozen=True, extra="forbid")
_SECRET = re.compile(rf"{SECRET_PREFIX}[A-Z0-9_]{{1,80}}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
_LONGEST_URL = 500


class Webhook(BaseModel):
    """An address that signed messages are sent to, and the variable that holds the secret they are signed with."""

    model_config = _FROZEN

    url: str = Field(description="Where messages are sent.")
    secret_from: str = Field(description="The environment's variable with the secret.")


class Agency(BaseModel):
    """A party outside the city's departments: how it is reached, and whether it ever answers."""

    model_config = _FROZEN

    key: str
    title: str
    webhook: Webhook | None = Field(None, description="Reached by signed messages over HTTPS.")
    email: str | None = Field(None, description="Reached by e-mail.")
    reports_back: bool = Field(description="Whether it says what came of it.")


class System(BaseModel):
    """A department's own system, which `call` steps ask."""

    model_config = _FROZEN

    key: str
    title: str
    url: str = Field(description="Where calls are sent.")
    secret_from: str = Field(description="The environment's variable with the secret.")


def read_agencies(section: Section | None) -> dict[str, Agency]:
    """The agencies by key; one that cannot be reached as written is left in, after its finding."""
    return {key: _read_agency(key, body) for key, body in _bodies(section)}


def _bodies(section: Section | None) -> list[tuple[str, Section]]:
    found: list[tuple[str, Section]] = []
    if section is None:
        return found
    for entry in section.tree:
        check_name(entry.key, entry.place, KEY, section.findings)
        body = section_of(entry.value, f"'{entry.key}'", section.findings, entry.place)
        if body is not None:
            found.append((entry.key, body))
    return found


def _read_agency(key: str, section: Section) -> Agency:
    title = section.text("title", required=True)
    webhook, email = section.section("webhook"), section.text("email")
    section.entry("reports_back", required=True)
    reports_back = section.switch("reports_back")
    ways = [name for name in ("webhook", "email") if section.has(name)]
    if len(ways) != 1:
        place = section.key_place("email") if ways else section.owner
        section.findings.add("FX216", place, "an agency is reached in one way: give either 'webhook' or 'email'")
    if email is not None and not _EMAIL.fullmatch(email.text):
        section.findings.add("FX711", email.place, f"'{email.text}' is no e-mail address")
    section.finish("an agency", ("open311",))
    return Agency(
        key=key,
        title=title.text if title else key,
        webhook=_read_webhook(webhook) if webhook else None,
        email=email.text if email else None,
        reports_back=reports_back,
    )


def _read_webhook(section: Section) -> Webhook:
    url, secret_from = _address(section), _secret(section)
    section.finish("'webhook'")
    return Webhook(url=url, secret_from=secret_from)


def read_systems(section: Section | None) -> dict[str, System]:
    """The departments' systems by key."""
    found: dict[str, System] = {}
    for key, body in _bodies(section):
        title = body.text("title", required=True)
        url, secret_from = _address(body), _secret(body)
        body.finish("a system")
        found[key] = System(key=key, title=title.text if title else key, url=url, secret_from=secret_from)
    return found


def _address(section: Section) -> str:
    url = section.text("url", required=True)
    if url is None:
        return ""
    problem = _problem_of(url)
    if problem:
        section.findings.add("FX710", url.place, f"'url' {problem}")
    return url.text


def _problem_of(url: Written) -> str | None:
    try:
        parts = urlsplit(url.text)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return "cannot be read as an address"
    if parts.scheme not in ("https", "http") or not parts.hostname or not port_fits:
        return "begins with https:// and a host's name"
    if parts.username is not None or parts.password is not None:
        return "holds no name and no password: use 'secret_from'"
    if parts.fragment or re.search(r"\s", url.text) or len(url.text) > _LONGEST_URL:
        return f"has no '#', no blanks and at most {_LONGEST_URL} characters"
    return None


def _secret(section: Section) -> str:
    """The name of the variable that holds a secret, and is there for nothing else."""
    written = section.text("secret_from", required=True)
    if written is not None and not _SECRET.fullmatch(written.text):
        message = f"'{written.text}' is no name for a secret's variable: write {SECRET_PREFIX} and capitals"
        section.findings.add("FX712", written.place, message)
    return written.text if written else ""
