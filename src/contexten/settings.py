"""Every setting, typed, with the environment variable that sets it.

Unset values have defaults that need no configuration: a SQLite file under the user's data folder, the loopback
interface, no key, no outside call. A variable of the shell wins over a `.env` file in the current folder. That folder may be
somebody else's repository, so the file is heard only in what cannot open, move or redirect anything.

A secret can also be kept in a file that a variable names: `CONTEXTEN_DATABASE_URL_FILE` for `CONTEXTEN_DATABASE_URL`.
"""

from __future__ import annotations

import ipaddress
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from platformdirs import user_cache_path, user_data_path
from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, SecretStr, field_validator

from contexten.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000

_LOG = logging.getLogger("contexten.settings")
_told: set[str] = set()


def is_loopback(host: str) -> bool:
    """Whether a host name or address never leaves this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _absolute(path: Path) -> Path:
    try:
        absolute = path.expanduser().resolve()
    except (OSError, RuntimeError) as error:  # no home folder, no current folder, a link to itself
        raise ValueError(str(error)) from error
    if any(step.is_symlink() for step in (absolute, *absolute.parents)):  # on Python 3.13 that is no error by itself
        raise ValueError(f"{absolute} goes through a link to itself")
    return absolute


Folder = Annotated[Path, AfterValidator(_absolute)]
"""A path without `~`, made absolute: the same place wherever it is asked about."""


class _Base(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, validate_default=True, defer_build=True)

    file: ClassVar[str | None] = ".env"
    """The file that is read; None for none. An argument `_env_file` says otherwise."""
    from_file: ClassVar[frozenset[str]]
    """Variables that it may set."""

    def __init__(self, **given: Any) -> None:
        """Read each setting from the arguments, else from the shell, else, where it may be set there, from the file.

        Args:
            given: values by the name of their variable.
        """
        file = given.pop("_env_file", self.file)
        shell = _named(os.environ)
        sources = [given, shell, self._kept_in_files(shell), self._taken(file)]
        found = [_first(spellings, sources) for spellings in self._spellings()]
        super().__init__(**{name: value for name, value in found if name is not None})

    @classmethod
    def variables(cls) -> frozenset[str]:
        """The names of all variables that are read, those that name a secret's file included."""
        return frozenset(name for spellings in cls._spellings() for name in spellings) | cls._secret_files().keys()

    @classmethod
    def _secret_files(cls) -> dict[str, str]:
        """For each variable that may name the file of a secret, the variable of that secret."""
        secrets = [
            field for field in cls.model_fields.values() if SecretStr in (field.annotation, *get_args(field.annotation))
        ]
        return {f"{name}_FILE": name for field in secrets for name in _names_of(field.validation_alias)}

    @classmethod
    def _kept_in_files(cls, shell: Mapping[str, str]) -> dict[str, str]:
        """The secrets whose files the shell names, as containers and systemd hand them out."""
        return {secret: _secret_in(shell[name], name) for name, secret in cls._secret_files().items() if name in shell}

    @classmethod
    def _spellings(cls) -> list[list[str]]:
        """For each setting the names of its variable, the first of them preferred."""
        return [_names_of(field.validation_alias) for field in cls.model_fields.values()]

    @classmethod
    def _taken(cls, file: str | None) -> dict[str, str]:
        """What may be taken from the file; it is told once what of it is not."""
        if file is None or not Path(file).is_file():
            return {}
        from dotenv import dotenv_values

        written = _named(dotenv_values(file, encoding="utf-8"))
        known, heard = (
            ServerSettings.variables() | AutogenSettings.variables(), ServerSettings.from_file | AutogenSettings.from_file
        )  # fmt: skip
        _tell_ignored(written.keys() & (known - heard))
        return {name: written[name] for name in written.keys() & cls.from_file}


def _names_of(alias: object) -> list[str]:
    return [str(name) for name in (alias.choices if isinstance(alias, AliasChoices) else [alias])]


def _secret_in(file: str, name: str) -> str:
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"The file {file} ({name}) cannot be read: {reason}.") from error


def _named(variables: Mapping[str, str | None]) -> dict[str, str]:
    """Variables that say something, by their names in capitals: the case in which they are written does not matter."""
    return {name.upper(): value for name, value in variables.items() if value}


def _first(spellings: list[str], sources: list[dict[str, Any]]) -> tuple[str | None, Any]:
    """The name by which the first source that knows a setting has it, and its value."""
    known = ((name, source[name]) for source in sources for name in spellings if name in source)
    return next(known, (None, None))


def _tell_ignored(names: Iterable[str]) -> None:
    for name in sorted(set(names) - _told):
        _told.add(name)
        _LOG.warning(
            "%s in the file .env is ignored: it could come with somebody's repository. Export it instead.", name
        )


class ClientSettings(_Base):
    """Where a program's requests go and as whom. Names follow the Codegen documentation."""

    from_file = frozenset({
        "CODEGEN_API_TOKEN", "CODEGEN_TOKEN", "CODEGEN_ORG_ID", "CODEGEN_BASE_URL", "CODEGEN_API_BASE_URL"
    })  # fmt: skip

    api_token: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("CODEGEN_API_TOKEN", "CODEGEN_TOKEN")
    )
    """Bearer token. Without one, the local server's own token is used, for the local server only."""
    org_id: int | None = Field(default=None, validation_alias="CODEGEN_ORG_ID")
    """Organization of every request. Without one, the organization that the token belongs to."""
    base_url: str | None = Field(
        default=None, validation_alias=AliasChoices("CODEGEN_BASE_URL", "CODEGEN_API_BASE_URL")
    )
    """Address of the server, with or without `/v1`. Without one, the local server."""
    data_dir: Folder = Field(default_factory=lambda: user_data_path("contexten"), validation_alias="CONTEXTEN_DATA_DIR")
    """Folder that holds the local server's credentials."""


class ShellSettings(ClientSettings):
    """The same by arguments and the shell alone."""

    file = None


class AutogenSettings(_Base):
    """How code is generated at import; nothing of it has to be set."""

    from_file = frozenset({"CONTEXTEN_AUTOGEN"})

    mode: Literal["generate", "locked", "off"] = Field(default="generate", validation_alias="CONTEXTEN_AUTOGEN")
    """`generate` asks for what is missing, `locked` uses only what `autogen.lock` has, `off` nothing."""
    engine: str = Field(default="model", validation_alias="CONTEXTEN_AUTOGEN_ENGINE")
    """Engine that writes the code."""
    model: str | None = Field(default=None, validation_alias="CONTEXTEN_AUTOGEN_MODEL")
    """Model that writes the code, as `provider:name`; the server's default when absent."""
    max_cost: float = Field(default=10.0, ge=0, validation_alias="CONTEXTEN_AUTOGEN_MAX_COST")
    """US dollars that the generations of one day may cost, as far as prices are known."""
    max_generations: int = Field(default=500, ge=0, validation_alias="CONTEXTEN_AUTOGEN_MAX_GENERATIONS")
    """Generations that may be asked for in one day."""
    redis_url: SecretStr | None = Field(default=None, validation_alias="CONTEXTEN_REDIS_URL")
    """Address of a Redis through which machines share what was generated."""
    sandbox: Literal["bubblewrap", "none"] = Field(default="bubblewrap", validation_alias="CONTEXTEN_SANDBOX")
    """Where new code is tried: in bubblewrap where that works, or with all that this user may read and do."""
    data_dir: Folder = Field(default_factory=lambda: user_data_path("contexten"), validation_alias="CONTEXTEN_DATA_DIR")
    """Folder for the record of what was generated."""
    cache_dir: Folder = Field(
        default_factory=lambda: user_cache_path("contexten"), validation_alias="CONTEXTEN_CACHE_DIR"
    )
    """Folder for what can be made again."""


class ServerSettings(_Base):
    """What the server needs to run; nothing of it has to be set."""

    from_file = frozenset({
        "CONTEXTEN_PORT", "CONTEXTEN_RUN_TIMEOUT", "CONTEXTEN_CONCURRENCY", "CONTEXTEN_RATE_LIMITS",
        "CONTEXTEN_HEARTBEAT", "CONTEXTEN_LOG_LEVEL", "LOG_LEVEL", "CONTEXTEN_LOG_FORMAT",
    })  # fmt: skip

    data_dir: Folder = Field(default_factory=lambda: user_data_path("contexten"), validation_alias="CONTEXTEN_DATA_DIR")
    """Folder for the database, the credentials and cloned repositories."""
    cache_dir: Folder = Field(
        default_factory=lambda: user_cache_path("contexten"), validation_alias="CONTEXTEN_CACHE_DIR"
    )
    """Folder for what can be made again, such as code indexes."""
    database_url: SecretStr | None = Field(default=None, validation_alias="CONTEXTEN_DATABASE_URL")
    """SQLAlchemy or libpq address of a PostgreSQL database. Without one, a SQLite file in the data folder."""

    host: str = Field(default=DEFAULT_HOST, validation_alias="CONTEXTEN_HOST")
    """Address to bind. Anything but loopback must be allowed by `allow_remote`."""
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535, validation_alias="CONTEXTEN_PORT")
    """Port to bind; 0 takes any free one."""
    allow_remote: bool = Field(default=False, validation_alias="CONTEXTEN_ALLOW_REMOTE")
    """Whether other machines may connect."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535, validation_alias="CONTEXTEN_METRICS_PORT")
    """Port on which `/metrics` alone is served, to everybody who reaches it; without one, only beside the API."""
    metrics_host: str = Field(default=DEFAULT_HOST, validation_alias="CONTEXTEN_METRICS_HOST")
    """Address of that port. Anything but loopback must be allowed by `allow_remote`."""
    drain: float = Field(default=0.0, ge=0, le=86400, validation_alias="CONTEXTEN_DRAIN")
    """Seconds that runs under way get to end after SIGTERM or Ctrl-C. Until then requests are answered, `/readyz` says that this
    process is going, and it takes up nothing new."""
    admin_token: SecretStr | None = Field(default=None, validation_alias="CONTEXTEN_ADMIN_TOKEN")
    """An admin token of the first organization that every process of one database knows from its start."""
    public_url: str | None = Field(default=None, validation_alias="CONTEXTEN_PUBLIC_URL")
    """Address that people reach the server at, used in `web_url`; without one, the bound address."""
    allowed_hosts: tuple[str, ...] = Field(default=(), validation_alias="CONTEXTEN_ALLOWED_HOSTS")
    """Host names accepted in the Host header beside the bound ones, comma-separated."""
    allowed_origins: tuple[str, ...] = Field(default=(), validation_alias="CONTEXTEN_ALLOWED_ORIGINS")
    """Origins of other web pages that may call the API, comma-separated; none by default."""

    repo: Folder | None = Field(default=None, validation_alias="CONTEXTEN_REPO")
    """Folder that runs work on when they name no repository; the current folder by default."""
    default_engine: str = Field(default="analyst", validation_alias="CONTEXTEN_ENGINE")
    """Engine of a run that names none."""
    model: str | None = Field(default=None, validation_alias="CONTEXTEN_MODEL")
    """Model of a run that names none, as `provider:name`."""
    model_max_requests: int = Field(default=100, ge=1, validation_alias="CONTEXTEN_MODEL_MAX_REQUESTS")
    """How often the engine `model` asks its model in one turn."""
    model_max_tokens: int = Field(default=5_000_000, ge=1, validation_alias="CONTEXTEN_MODEL_MAX_TOKENS")
    """Tokens that a model may read and write in one turn, all requests together."""
    model_max_cost: float = Field(default=5.0, gt=0, validation_alias="CONTEXTEN_MODEL_MAX_COST")
    """US dollars that one turn of the engine `model` may cost, as far as its prices are known."""
    model_command_timeout: float = Field(default=600.0, gt=0, validation_alias="CONTEXTEN_MODEL_COMMAND_TIMEOUT")
    """Seconds that one command of a model may take."""
    model_request_timeout: float = Field(default=300.0, gt=0, validation_alias="CONTEXTEN_MODEL_REQUEST_TIMEOUT")
    """Seconds for which nothing may come of a model's answer, each time that it is asked for."""
    model_retries: int = Field(default=4, ge=0, le=20, validation_alias="CONTEXTEN_MODEL_RETRIES")
    """How often a request to a model is sent again that met a passing fault of its provider."""

    program_permissions: Literal["edits", "all"] = Field(
        default="edits", validation_alias="CONTEXTEN_PROGRAM_PERMISSIONS"
    )
    """What the engines claude_code and codex may do without asking: `edits` in the run's own copy of the repository and
    commands that cannot leave it, or `all` that the user of this machine may do."""
    remote_base_url: str | None = Field(default=None, validation_alias="CONTEXTEN_REMOTE_BASE_URL")
    """Address of the server that the engine `remote` hands runs to, with or without `/v1`."""
    remote_token: SecretStr | None = Field(default=None, validation_alias="CONTEXTEN_REMOTE_TOKEN")
    """Bearer token for that server."""
    remote_org_id: int | None = Field(default=None, ge=1, validation_alias="CONTEXTEN_REMOTE_ORG_ID")
    """Organization there; without one, the only one that the token reaches."""
    remote_repo_id: int | None = Field(default=None, ge=1, validation_alias="CONTEXTEN_REMOTE_REPO_ID")
    """Repository there that all runs work on; without one, the one with the name of the run's repository here."""

    sandbox: Literal["bubblewrap", "none"] = Field(default="bubblewrap", validation_alias="CONTEXTEN_SANDBOX")
    """Where commands of a model run: in bubblewrap, or with all that this user may read and do."""
    sandbox_read: tuple[Folder, ...] = Field(default=(), validation_alias="CONTEXTEN_SANDBOX_READ")
    """Folders that commands in the sandbox may read beside the system's programs, such as a toolchain in the home folder;
    their `bin` is on the PATH. Joined by colons."""

    run_timeout: float = Field(default=3600.0, gt=0, validation_alias="CONTEXTEN_RUN_TIMEOUT")
    """Seconds a run may take before it ends as TIMEOUT."""
    concurrency: int = Field(default=8, ge=1, validation_alias="CONTEXTEN_CONCURRENCY")
    """Runs of one engine that one process does at a time, for engines that set no limit of their own."""
    max_prompt_bytes: int = Field(default=512 * 1024, ge=1, validation_alias="CONTEXTEN_MAX_PROMPT_BYTES")
    """Longest prompt accepted, in bytes of UTF-8."""
    max_body_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, validation_alias="CONTEXTEN_MAX_BODY_BYTES")
    """Largest request body accepted, in bytes."""
    rate_limits: bool = Field(default=False, validation_alias="CONTEXTEN_RATE_LIMITS")
    """Whether the documented request limits of the Codegen API apply (reads 60/30 s, creates 10/min, logs 60/60 s)."""
    heartbeat: float = Field(default=15.0, gt=0, validation_alias="CONTEXTEN_HEARTBEAT")
    """Seconds of silence after which an event stream sends a comment."""
    worker_id: str = Field(default="local", validation_alias="CONTEXTEN_WORKER_ID", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    """Name of this process among the workers of one database; stable over restarts and unique."""
    log_level: LogLevel = Field(default="WARNING", validation_alias=AliasChoices("CONTEXTEN_LOG_LEVEL", "LOG_LEVEL"))
    """Least severe level that is logged."""
    log_format: Literal["auto", "text", "json"] = Field(default="auto", validation_alias="CONTEXTEN_LOG_FORMAT")
    """Form of the log: `auto` is text on a terminal and JSON elsewhere."""

    @field_validator("allowed_hosts", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("sandbox_read", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value
