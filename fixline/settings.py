"""Settings: the environment, prefix FIXLINE_ (Temporal's own, TEMPORAL_*, are read by `fixline.temporal.client`). The
composition roots and the command line read them once and hand values on; nothing else reads the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fixline.errors import FixlineError

PACKAGED_DEFINITIONS = Path(__file__).resolve().parent.parent / "definitions"


class SettingsError(FixlineError, ValueError):
    """A setting is wrong; the text names it, the rule and the remedy, on one line."""


class Settings(BaseSettings):
    """Everything that can be set. Each field is FIXLINE_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="FIXLINE_", extra="ignore")

    database_url: str = Field(
        "sqlite:///fixline-data/fixline.db", description="sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
    )
    definitions: Path | None = Field(
        None, description="Folder of definitions; default ./definitions, else the packaged"
    )
    public_url: str = Field("http://127.0.0.1:8311", description="Where people reach the service")
    admin_key: SecretStr | None = Field(None, description="The admin key; made at the first start when not set")
    task_queue: str = Field("fixline", description="Temporal task queue of the workers")
    sqlite_synchronous: Literal["NORMAL", "FULL", "EXTRA"] = Field(
        "NORMAL", description="FULL survives a power cut without losing the last commits, at a price in speed"
    )
    answer_within_seconds: float = Field(
        3.0, gt=0, le=60, description="How long a command that a fault of ours keeps undecided may wait before 202"
    )
    max_body_bytes: int = Field(1_000_000, ge=1_000, description="Largest body of an HTTP request, in bytes")
    worker_slots: int = Field(16, ge=1, le=200, description="Activities and workflow tasks at once, per worker")
    due_per_second: int = Field(
        50, ge=1, le=10_000, description="How many requests that fall due at one instant are woken each second"
    )
    outgoing_private_hosts: str | None = Field(
        None,
        description="Hosts, separated by commas, that may be called at private addresses and without TLS; default none",
    )
    notices_url: str | None = Field(
        None, description="Where notices to people are posted, signed; default none: they are written to the log"
    )
    notices_secret_from: str = Field(
        "FIXLINE_SECRET_NOTICES", description="The variable that holds the secret with which those are signed"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        return url

    @field_validator("admin_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < 16:
            raise ValueError("must have at least 16 characters")
        return key

    @property
    def private_hosts(self) -> frozenset[str]:
        """The hosts of `outgoing_private_hosts`, in lower case."""
        names = (name.strip().lower() for name in (self.outgoing_private_hosts or "").split(","))
        return frozenset(name for name in names if name)

    @property
    def definitions_folder(self) -> Path:
        """The folder of definitions that holds: the setting, else ./definitions, else the packaged ones."""
        if self.definitions is not None:
            return self.definitions
        here = Path("definitions")
        return here if (here / "organisation.yaml").is_file() else PACKAGED_DEFINITIONS


def read_secret(name: str) -> str | None:
    """A secret by its variable's name, as organisation.yaml gives it: no variable is read whose name does not begin
    with FIXLINE_SECRET_. None where the environment has none."""
    return os.environ.get(name) if name.startswith("FIXLINE_SECRET_") else None


def read_settings() -> Settings:
    """The settings of the environment. Raises SettingsError."""
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "FIXLINE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None
    if settings.definitions is not None and not (settings.definitions / "organisation.yaml").is_file():
        raise SettingsError(f"FIXLINE_DEFINITIONS: {settings.definitions} has no organisation.yaml")
    return settings
