"""dwh.cfg, the environment and flags, resolved into one frozen :class:`Settings`.

Owns every key's name, type, default and explanation (:data:`KEYS`); `sparkify init` and the guide are
written from it. Nothing else in the package reads dwh.cfg or ``SPARKIFY_*``.

Precedence: defaults < file < environment (``SPARKIFY_<SECTION>_<KEY>``) < flags.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sparkify.errors import ConfigError

DEFAULT_PATH = Path("dwh.cfg")
ENVIRONMENT_PREFIX = "SPARKIFY_"


class Secret(str):
    """A value that must never be shown: its ``repr`` is masked, its ``str`` is for drivers only."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'****'" if self else "''"


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Section ``[AWS]``: who we are, where, and against which endpoint."""

    key: Secret
    secret: Secret
    region: str
    profile: str
    endpoint_url: str

    def verify_keys(self) -> None:
        """Raise where one of KEY and SECRET is given without the other: whoever uses them asks.

        Raises:
            ConfigError: It is so.
        """
        if bool(self.key) != bool(self.secret):
            raise ConfigError(
                f"[AWS] {'SECRET' if self.key else 'KEY'} is empty while the other is set.",
                "Set both, or neither to use the standard AWS credential chain.",
            )


@dataclass(frozen=True, slots=True)
class DwhSettings:
    """Section ``[DWH]``: the cluster's shape, and which engine runs the SQL."""

    dwh_cluster_type: str
    dwh_num_nodes: int | None
    dwh_node_type: str
    dwh_iam_role_name: str
    dwh_cluster_identifier: str
    engine: str
    database: str
    models: str


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Section ``[CLUSTER]``: how to reach the database on Redshift."""

    host: str
    db_name: str
    db_user: str
    db_password: Secret
    db_port: int


@dataclass(frozen=True, slots=True)
class IamRoleSettings:
    """Section ``[IAM_ROLE]``: the role COPY assumes."""

    arn: str


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Section ``[S3]``: where the files are; ``s3://`` URIs or local folders."""

    log_data: str
    log_jsonpath: str
    song_data: str
    staging: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a command may need to know, resolved once and never changed.

    ``path`` is the file that was read, or None when there was none.
    """

    aws: AwsSettings
    dwh: DwhSettings
    cluster: ClusterSettings
    iam_role: IamRoleSettings
    s3: S3Settings
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """One key of dwh.cfg: its place, how to read it and how to explain it."""

    section: str
    name: str
    parse: Callable[[str], Any]
    default: str
    expected: str
    doc: str

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return f"{ENVIRONMENT_PREFIX}{self.section}_{self.name}"


def _text(value: str) -> str:
    return value


def expand_home(path: str) -> str:
    """Return a local path with ``~`` and ``~user`` at its beginning resolved, as a shell does."""
    return os.path.expanduser(path)  # noqa: PTH111 - Path raises where there is no such user


def _path(value: str) -> str:
    return expand_home(value)


def _uri(value: str) -> str:
    scheme = re.match(r"([A-Za-z0-9+.-]+)://", value)
    if scheme and scheme[1] != "s3":
        raise ValueError
    return expand_home(value)


def _endpoint(value: str) -> str:
    # What fits no URL makes the S3 client panic.
    if value and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[!-~]*)?", value):
        raise ValueError
    return value


def _port(value: str) -> int:
    port = int(value)
    if not 1 <= port <= 65535:
        raise ValueError
    return port


def _nodes(value: str) -> int | None:
    if not value:
        return None
    nodes = int(value)
    if nodes < 1:
        raise ValueError
    return nodes


def _choice(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError
        return value.lower()

    return parse


_URI = "an s3://bucket/prefix or a local folder"

KEYS: tuple[Key, ...] = (
    Key(
        "AWS", "KEY", Secret, "", "text", "Access key. Empty: the standard AWS credential chain (preferred)."
    ),
    Key("AWS", "SECRET", Secret, "", "text", "Secret access key, with KEY."),
    Key("AWS", "REGION", _text, "", "a region such as us-west-2", "Region of the bucket and the cluster."),
    Key("AWS", "PROFILE", _text, "", "a profile name", "Named profile of ~/.aws/config to use."),
    Key(
        "AWS",
        "ENDPOINT_URL",
        _endpoint,
        "",
        "a URL such as https://s3.example.com",
        "Any S3-compatible server instead of AWS.",
    ),
    Key(
        "DWH",
        "DWH_CLUSTER_TYPE",
        _choice("", "single-node", "multi-node", "serverless"),
        "multi-node",
        "single-node, multi-node or serverless",
        "Cluster type; serverless has no nodes and is billed while queries run.",
    ),
    Key("DWH", "DWH_NUM_NODES", _nodes, "2", "a whole number of at least 1", "Number of compute nodes."),
    Key("DWH", "DWH_NODE_TYPE", _text, "ra3.large", "a node type such as ra3.large", "Node type."),
    Key("DWH", "DWH_IAM_ROLE_NAME", _text, "sparkify-copy", "a role name", "Role the cluster reads S3 with."),
    Key(
        "DWH",
        "DWH_CLUSTER_IDENTIFIER",
        _text,
        "sparkify",
        "a cluster identifier",
        "Name of the cluster to create, watch and destroy.",
    ),
    Key(
        "DWH",
        "ENGINE",
        _choice("", "duckdb", "redshift"),
        "",
        "duckdb or redshift",
        "Where the warehouse is. Empty: redshift when CLUSTER.HOST is set, else duckdb.",
    ),
    Key("DWH", "DATABASE", _path, "sparkify.duckdb", "a file name", "The DuckDB file."),
    Key("DWH", "MODELS", _path, "", "a folder", "A folder of your own models and checks (not used yet)."),
    Key("CLUSTER", "HOST", _text, "", "a host name", "The cluster's endpoint; `cluster create` fills it in."),
    Key("CLUSTER", "DB_NAME", _text, "sparkify", "a database name", "Database."),
    Key("CLUSTER", "DB_USER", _text, "sparkify", "a user name", "Database user."),
    Key("CLUSTER", "DB_PASSWORD", Secret, "", "text", "Password. Empty: temporary IAM credentials."),
    Key("CLUSTER", "DB_PORT", _port, "5439", "a port from 1 to 65535", "Port."),
    Key("IAM_ROLE", "ARN", _text, "", "a role ARN", "The role COPY assumes; `cluster create` fills it in."),
    Key("S3", "LOG_DATA", _uri, "", _URI, "Activity logs: JSON lines, plain, gzip or zstd."),
    Key("S3", "LOG_JSONPATH", _uri, "", _URI, "JSONPaths file for COPY. Empty: our own."),
    Key("S3", "SONG_DATA", _uri, "", _URI, "Song records: JSON objects."),
    Key("S3", "STAGING", _uri, "", _URI, "A prefix we may write to: manifests and packed files (Redshift)."),
)

_SECTIONS: Mapping[str, type] = {
    "AWS": AwsSettings,
    "DWH": DwhSettings,
    "CLUSTER": ClusterSettings,
    "IAM_ROLE": IamRoleSettings,
    "S3": S3Settings,
}


def load_settings(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, str | None] | None = None,
) -> Settings:
    """Resolve every key from its places, the later winning.

    Args:
        path: A dwh.cfg; None reads ``./dwh.cfg`` where there is one.
        environment: Variables; only ``SPARKIFY_<SECTION>_<KEY>`` are looked at.
        flags: ``"SECTION.KEY"`` → value; None values are flags not given.

    Raises:
        ConfigError: The file is missing or malformed, or a section, key or value is not one we know.
    """
    environment = environment or {}
    given = _read_file(path)
    chosen = path or (DEFAULT_PATH if DEFAULT_PATH.is_file() else None)
    sections = tuple(f"{ENVIRONMENT_PREFIX}{section}_" for section in _SECTIONS)
    known_variables = {key.variable for key in KEYS}
    for variable in environment:
        if variable.startswith(sections) and variable not in known_variables:
            raise ConfigError(
                f"the environment variable {variable} is not a setting.",
                "Use SPARKIFY_<SECTION>_<KEY>, such as SPARKIFY_S3_LOG_DATA, or unset it.",
            )
    values: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    for key in KEYS:
        name = f"{key.section}.{key.name}"
        places = [("default", key.default)]
        if name in given:
            places.append((str(chosen), given[name]))
        if key.variable in environment:
            places.append((f"${key.variable}", _unquote(environment[key.variable])))
        if flags and flags.get(name) is not None:
            places.append(("the command line", str(flags[name])))
        values[key.section][key.name.lower()] = _parse(key, places)
    dwh = values["DWH"]
    if not dwh["engine"]:
        dwh["engine"] = "redshift" if values["CLUSTER"]["host"] else "duckdb"
    if not dwh["database"]:
        dwh["database"] = "sparkify.duckdb"
    return Settings(
        aws=AwsSettings(**values["AWS"]),
        dwh=DwhSettings(**dwh),
        cluster=ClusterSettings(**values["CLUSTER"]),
        iam_role=IamRoleSettings(**values["IAM_ROLE"]),
        s3=S3Settings(**values["S3"]),
        path=chosen,
    )


def _parse(key: Key, places: list[tuple[str, str]]) -> Any:
    place, value = places[-1]
    if value == "" and key.default:
        # An empty value in the mission's template means "not filled in", not "the empty text".
        value = key.default
    if key.parse is not Secret and value[:1] in ("'", '"'):
        raise ConfigError(
            f"[{key.section}] {key.name} is {value} in {place}: its quotes do not match.",
            "Put the quotes around the whole value, and a comment on a line of its own.",
        )
    try:
        return key.parse(value)
    except ValueError:
        shown = "****" if key.parse is Secret else repr(value)
        tried = ", ".join(name for name, _ in places)
        raise ConfigError(
            f"[{key.section}] {key.name} is {shown} in {place}; expected {key.expected}.",
            f"Correct it there. Places looked at, the last one wins: {tried}.",
        ) from None


def holds_secrets(path: Path) -> bool:
    """Tell whether a dwh.cfg itself gives a password or secret key: the environment may hold them instead."""
    given = _read_file(path)
    names = {f"{key.section}.{key.name}" for key in KEYS if key.parse is Secret} - {"AWS.KEY"}
    return any(given.get(name) for name in names)


def _read_file(path: Path | None) -> dict[str, str]:
    """Return ``"SECTION.KEY"`` → unquoted value for every key of the file."""
    if path is None:
        path = DEFAULT_PATH
        if not path.is_file():
            return {}
    # Passwords hold % and ; and #: no interpolation, no inline comments.
    parser = configparser.ConfigParser(interpolation=None)
    try:
        text = path.read_text(encoding="utf-8-sig")
        parser.read_string(text, source=str(path))
    except OSError as exc:
        raise ConfigError(
            f"the configuration {path} cannot be read: {exc.strerror}.",
            "Write one with `sparkify init`, or name yours with --config.",
        ) from exc
    except (configparser.Error, UnicodeDecodeError) as exc:
        # The parser's own message quotes the offending line, which may hold a password.
        line = getattr(exc, "lineno", None) or next((n for n, _ in getattr(exc, "errors", [])), None)
        where = f", line {line}" if line else ""
        kind = type(exc).__name__
        raise ConfigError(
            f"{path}{where} is not a valid configuration file ({kind}).",
            "Each line is [SECTION], KEY = value, or a # comment; each key stands once.",
        ) from None
    known = {f"{key.section}.{key.name}" for key in KEYS}
    found: dict[str, str] = {}
    for section in parser.sections():
        if section.upper() not in _SECTIONS:
            raise ConfigError(
                f"{path} has a section [{section}] that is not known.",
                f"The sections are {', '.join(f'[{name}]' for name in _SECTIONS)}.",
            )
        for option, value in parser.items(section):
            name = f"{section.upper()}.{option.upper()}"
            if name not in known:
                keys = ", ".join(key.name for key in KEYS if key.section == section.upper())
                raise ConfigError(
                    f"{path} has a key {option.upper()} in [{section}] that is not known.",
                    f"The keys of [{section.upper()}] are {keys}.",
                )
            found[name] = _unquote(value)
    return found


def _unquote(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def template() -> str:
    """Return a commented dwh.cfg with every key at its default."""
    lines = [
        "# Sparkify's warehouse. Empty values take their defaults; every key may also be set as",
        "# SPARKIFY_<SECTION>_<KEY> in the environment. Keep this file out of version control.",
    ]
    section = ""
    for key in KEYS:
        if key.section != section:
            section = key.section
            lines += ["", f"[{section}]"]
        lines += [f"# {key.doc}", f"{key.name} = {key.default}".rstrip()]
    return "\n".join(lines) + "\n"


# A key without a field, or a field without a key, is a mistake of ours: fail on import, not in a run.
assert {(section, field.name) for section, kind in _SECTIONS.items() for field in fields(kind)} == {
    (key.section, key.name.lower()) for key in KEYS
}
