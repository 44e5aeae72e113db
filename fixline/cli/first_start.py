"""What a database needs before anything runs on it: published definitions, and an admin's key."""

from __future__ import annotations

import logging
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr
from sqlmodel import Session

from fixline.catalog import Catalog, read_catalog
from fixline.cli.outcome import Trouble
from fixline.domain.process.commands import Role
from fixline.identity.keys import ADMIN_NAME, create_key, ensure_admin_key, list_keys
from fixline.service.publishing import Taken, take_folder
from fixline.service.submissions import utc_now
from fixline.store.store import Store

log = logging.getLogger(__name__)
SHOWN_FINDINGS = 3


def checked_catalog(folder: Path) -> Catalog:
    """The definitions of the folder. Raises Trouble when there is any finding."""
    reading = read_catalog(folder)
    if reading.findings:
        shown = "; ".join(str(finding) for finding in reading.findings[:SHOWN_FINDINGS])
        more = len(reading.findings) - SHOWN_FINDINGS
        rest = f"; and {more} more" if more > 0 else ""
        raise Trouble(f"the definitions have findings: {shown}{rest}. `fixline check {folder}` shows all")
    return reading.catalog


def publish_definitions(store: Store, folder: Path) -> list[str]:
    """Make the folder's definitions current; the types that got a version the store had not known."""
    return publish_catalog(store, checked_catalog(folder))


def publish_catalog(store: Store, catalog: Catalog) -> list[str]:
    """The same, for definitions that have been read."""

    def work(session: Session) -> Taken:
        return take_folder(session, catalog.definitions.values(), utc_now())

    taken = store.write(work)
    for kept in taken.kept:
        log.warning(kept.warning)
    return list(taken.published)


def ensure_admin(store: Store, wanted: SecretStr | None) -> str | None:
    """See to an admin's key: the wanted one, else one made now when there is none; answers the one made."""

    def work(session: Session) -> str | None:
        now = utc_now()
        if wanted is not None:
            ensure_admin_key(session, wanted.get_secret_value(), now)
            return None
        if any(key.role is Role.ADMIN and key.revoked_at is None for key in list_keys(session)):
            return None
        name = (
            ADMIN_NAME
            if all(key.name != ADMIN_NAME for key in list_keys(session))
            else f"{ADMIN_NAME}-{uuid4().hex[:8]}"
        )
        return create_key(session, name, Role.ADMIN, now)

    return store.write(work)
