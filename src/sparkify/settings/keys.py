"""dwh.cfg, the environment and flags, resolved into one frozen :class:`Settings`.

Owns every key's name, type, default and explanation (:data:`KEYS`); `sparkify init` and the guide are
written from it. Nothing else in the package reads dwh.cfg or ``SPARKIFY_*``.

Precedence: defaults < file < environment (``SPARKIFY_<SECTION>_<KEY>``) < flags. Relative paths in the file
are from the folder of the file, those of the environment and of flags from the current one.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from sparkify.errors import ConfigError
from sparkify.records import KINDS, RecordKind
from sparkify.settings.file import Given, Line, read_file, unquote
from sparkify.settings.names import key_meant

DEFAULT_PATH = Path("dwh.cfg")
ENVIRONMENT_PREFIX = "SPARKIFY_"
# Bytes. Python, DuckDB and our own code take 200 MB before the first record.
_LEAST_MEMORY = 300_000_000


class Secret(str):
    """A value that must never be shown: its ``repr`` is masked, its ``str`` is for drivers only."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'****'" if self else "''"


_NO_SECRET = Secret("")


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Section ``[AWS]``: who we are, where, and against which endpoint.

    ``bucket_region`` is ``[S3] REGION``: whoever opens a bucket is given this section alone. What an empty
    value means is :mod:`sparkify.settings.resolution`'s to say.
    """

    key: Secret
    secret: Secret
    region: str
    profile: str
    endpoint_url: str
    session_token: Secret = _NO_SECRET
    bucket_region: str = ""

    def verify_keys(self) -> None:
        """Raise where KEY, SECRET and SESSION_TOKEN do not belong together: whoever uses them asks.

        Raises:
            ConfigError: One of KEY and SECRET is given without the other, a token without both, or a
                temporary KEY without its token.
        """
        if bool(self.key) != bool(self.secret):
            raise ConfigError(
                f"[AWS] {'SECRET' if self.key else 'KEY'} is empty while the other is set.",
                "Set both, or neither to use the standard AWS credential chain.",
            )
        if self.session_token and not self.key:
            raise ConfigError(
                "[AWS] SESSION_TOKEN is set, and KEY and SECRET, which it belongs to, are empty.",
                "Set all three, or none to use the standard AWS credential chain.",
            )
        if self.key.startswith("ASIA") and not self.session_token:
            raise ConfigError(
                "[AWS] KEY is a temporary one (it begins with ASIA), and SESSION_TOKEN is empty. A token in "
                "the environment is not used with a KEY of the configuration.",
                "Set [AWS] SESSION_TOKEN; or leave KEY and SECRET empty to use those of the environment.",
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
    memory: int | None = None
    retain: int | None = None


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Section ``[CLUSTER]``: how to reach the database on Redshift."""

    host: str
    db_name: str
    db_user: str
    db_password: Secret
    db_port: int
    transport: str = "driver"


@dataclass(frozen=True, slots=True)
class IamRoleSettings:
    """Section ``[IAM_ROLE]``: the role COPY assumes."""

    arn: str


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Section ``[S3]``: where the files are; ``s3://`` URIs or local folders.

    ``data`` holds the places of the kinds of records, by the option that names them, such as ``log_data``.
    """

    log_jsonpath: str
    staging: str
    region: str
    data: Mapping[str, str]

    def place_of(self, kind: RecordKind) -> str:
        """Return where the files of a kind are; empty: nowhere."""
        return self.data[kind.option]

    @property
    def places(self) -> dict[RecordKind, str]:
        """Where the files of each kind are, in the order they are loaded; without those that are nowhere."""
        return {kind: place for kind in KINDS if (place := self.place_of(kind))}

    def value(self, key: str) -> str:
        """Return the value of a key of the section, by its name."""
        return self.data[key.lower()] if key.lower() in self.data else str(getattr(self, key.lower()))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a command may need to know, resolved once and never changed.

    ``path`` is the file that was read, or None when there was none; ``notice`` a sentence on what was read in
    it under another name than ours, or empty.
    """

    aws: AwsSettings
    dwh: DwhSettings
    cluster: ClusterSettings
    iam_role: IamRoleSettings
    s3: S3Settings
    path: Path | None = None
    notice: str = ""

    @property
    def cluster_shown(self) -> str:
        """The cluster for messages: its host, or its name where no host is needed."""
        return self.cluster.host or self.dwh.dwh_cluster_identifier


class Key(NamedTuple):
    """One key of dwh.cfg: its place, how to read it and how to explain it.

    ``is_path`` says that a value without ``://`` names a file or folder.
    """

    section: str
    name: str
    parse: Callable[[str], Any]
    default: str
    expected: str
    doc: str
    is_path: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return f"{ENVIRONMENT_PREFIX}{self.section}_{self.name}"


def _text(value: str) -> str:
    return value


def expand_home(path: str) -> str:
    """Return a local path with ``~`` and ``~user`` at its beginning resolved, as a shell does."""
    return os.path.expanduser(path)  # noqa: PTH111 - Path raises where there is no such user


def _uri(value: str) -> str:
    scheme = re.match(r"([A-Za-z0-9+.-]+)://", value)
    if scheme and scheme[1] != "s3":
        raise ValueError
    return value


def is_endpoint(value: str) -> bool:
    """Tell whether a text is the URL of a server; what is none makes the S3 client panic."""
    return bool(re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[!-~]*)?", value))


def _endpoint(value: str) -> str:
    if value and not is_endpoint(value):
        raise ValueError
    return value


def _region(value: str) -> str:
    # It becomes part of a host's name.
    if not re.fullmatch(r"[a-z0-9-]*", value):
        raise ValueError
    return value


def _size(value: str) -> int | None:
    """Read a size such as ``2GB``, ``1.5 GiB`` or ``512MB``, in bytes; nothing is None."""
    if not value:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(i?)B?", value, re.IGNORECASE)
    if not found:
        raise ValueError(value)
    number, prefix, binary = found.groups()
    size = int(float(number) * (1024 if binary else 1000) ** " KMGT".index(prefix.upper() or " "))
    if size < _LEAST_MEMORY:
        raise ValueError(value)
    return size


def read_days(value: str) -> int | None:
    """Read a number of days such as ``400d``; nothing is None."""
    if not value:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,5})\s*d", value, re.IGNORECASE)
    if not found:
        raise ValueError(value)
    return int(found[1])


def _folder(value: str) -> str:
    if "://" in value:
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
    Key("AWS", "SESSION_TOKEN", Secret, "", "text", "Session token of a temporary KEY and SECRET."),
    Key(
        "AWS",
        "REGION",
        _region,
        "",
        "a region such as us-west-2",
        "Region of the cluster. Empty: that of the environment or the profile, else us-west-2.",
    ),
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
    Key("DWH", "DATABASE", _text, "sparkify.duckdb", "a file name", "The DuckDB file.", is_path=True),
    Key(
        "DWH",
        "MODELS",
        _folder,
        "",
        "a local folder",
        "A folder of your own models and checks.",
        is_path=True,
    ),
    Key(
        "DWH",
        "MEMORY",
        _size,
        "",
        "a size from 300MB on, such as 1GB or 512MB",
        "Memory the process may take with DuckDB. Empty: a quarter of the machine's, 2GB at most.",
    ),
    Key(
        "DWH",
        "RETAIN",
        read_days,
        "",
        "a number of days such as 400d",
        "How long events are kept: what is older is erased by each run. Empty: for good.",
    ),
    Key("CLUSTER", "HOST", _text, "", "a host name", "The cluster's endpoint; `cluster create` fills it in."),
    Key("CLUSTER", "DB_NAME", _text, "sparkify", "a database name", "Database."),
    Key("CLUSTER", "DB_USER", _text, "sparkify", "a user name", "Database user."),
    Key("CLUSTER", "DB_PASSWORD", Secret, "", "text", "Password. Empty: AWS is asked at each login."),
    Key("CLUSTER", "DB_PORT", _port, "5439", "a port from 1 to 65535", "Port."),
    Key(
        "CLUSTER",
        "TRANSPORT",
        _choice("driver", "data-api"),
        "driver",
        "driver or data-api",
        "How statements get there: AWS's driver, or the Redshift Data API, which needs no open port.",
    ),
    Key("IAM_ROLE", "ARN", _text, "", "a role ARN", "The role COPY assumes; `cluster create` fills it in."),
    *(Key("S3", kind.setting, _uri, "", _URI, kind.about, is_path=True) for kind in reversed(KINDS)),
    Key("S3", "LOG_JSONPATH", _uri, "", _URI, "JSONPaths file for COPY. Empty: our own.", is_path=True),
    Key("S3", "STAGING", _uri, "", _URI, "A prefix we may write to: manifests and packed files (Redshift)."),
    Key(
        "S3",
        "REGION",
        _region,
        "",
        "a region such as us-west-2",
        "Region of the buckets. Empty: S3 is asked for each.",
    ),
)

_NAMES = tuple(f"{key.section}.{key.name}" for key in KEYS)
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
    chosen = path or (DEFAULT_PATH if DEFAULT_PATH.is_file() else None)
    given = _read(chosen) if chosen else Given({})
    sections = tuple(f"{ENVIRONMENT_PREFIX}{section}_" for section in _SECTIONS)
    known_variables = {key.variable for key in KEYS}
    for variable in environment:
        if variable.startswith(sections) and variable not in known_variables:
            raise ConfigError(
                f"the environment variable {variable} is not a setting.",
                "Use SPARKIFY_<SECTION>_<KEY>, such as SPARKIFY_S3_LOG_DATA, or unset it.",
            )
    # A pipe or /dev/null has no folder that anything could lie in.
    folder = chosen.parent if chosen and chosen.is_file() else Path()
    values: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    for key in KEYS:
        name = f"{key.section}.{key.name}"
        places = [_Place("default", key.default, folder)]
        if line := given.lines.get(name):
            places.append(_Place(_described(chosen, key, line), unquote(line.value), folder))
        if key.variable in environment:
            places.append(_Place(f"${key.variable}", unquote(environment[key.variable])))
        if flags and flags.get(name) is not None:
            places.append(_Place("the command line", str(flags[name])))
        values[key.section][key.name.lower()] = _parse(key, places)
    dwh = values["DWH"]
    if not dwh["engine"]:
        dwh["engine"] = "redshift" if values["CLUSTER"]["host"] else "duckdb"
    return Settings(
        aws=AwsSettings(**values["AWS"], bucket_region=values["S3"]["region"]),
        dwh=DwhSettings(**dwh),
        cluster=ClusterSettings(**values["CLUSTER"]),
        iam_role=IamRoleSettings(**values["IAM_ROLE"]),
        s3=_s3_settings(values["S3"]),
        path=chosen,
        notice=given.notice,
    )


def _s3_settings(values: dict[str, Any]) -> S3Settings:
    data = {kind.option: values.pop(kind.option) for kind in KINDS}
    return S3Settings(**values, data=data)


def holds_secrets(path: Path) -> bool:
    """Tell whether a dwh.cfg itself gives a password or secret key: the environment may hold them instead."""
    names = {f"{key.section}.{key.name}" for key in KEYS if key.parse is Secret} - {"AWS.KEY"}
    lines = _read(path).lines
    return any(name in lines and lines[name].value for name in names)


class _Place(NamedTuple):
    """A place that gives a key's value, and the folder its relative paths are from."""

    name: str
    value: str
    folder: Path = Path()


def _described(path: Path | None, key: Key, line: Line) -> str:
    """Return where a line is, for a message; the name it has there, where that is not the key's."""
    other = (line.section, line.name) != (key.section, key.name)
    return f"{path} ({line.name} in [{line.section}])" if other else str(path)


def _parse(key: Key, places: list[_Place]) -> Any:
    place, value = places[-1], places[-1].value
    if value == "" and key.default:
        # An empty value in the mission's template means "not filled in", not "the empty text".
        value = key.default
    if key.parse is not Secret and value[:1] in ("'", '"'):
        raise ConfigError(
            f"[{key.section}] {key.name} is {value} in {place.name}: its quotes do not match.",
            "Put the quotes around the whole value, and a comment on a line of its own.",
        )
    try:
        parsed = key.parse(value)
    except ValueError:
        shown = "****" if key.parse is Secret else repr(value)
        tried = ", ".join(each.name for each in places)
        raise ConfigError(
            f"[{key.section}] {key.name} is {shown} in {place.name}; expected {key.expected}.",
            f"Correct it there. Places looked at, the last one wins: {tried}.",
        ) from None
    return _resolve(key, parsed, place) if key.is_path and parsed else parsed


def _resolve(key: Key, value: str, place: _Place) -> str:
    """Return a path with ``~`` expanded, and from its place's folder if it is relative; a URI as it is."""
    if "://" in value or value.startswith(":memory:"):
        return value
    encoding = sys.getfilesystemencoding()
    if not value.isascii() and encoding != "utf-8":
        raise ConfigError(
            f"[{key.section}] {key.name} in {place.name} holds letters beyond ASCII, and this "
            f"system's locale writes names in {encoding}.",
            "Run it again with LC_ALL=C.UTF-8 (or PYTHONUTF8=1) in the environment.",
        )
    # What cannot be expanded, ~ and a name nobody has, stays a name like any other; Path would raise.
    expanded = expand_home(value)
    return os.path.join(place.folder, expanded) if place.folder.parts else expanded  # noqa: PTH118


def key_of(section: str, name: str) -> str:
    """Return the ``SECTION.KEY`` that a name in a section means, both in capitals; empty where it is none."""
    return key_meant(section, name, _NAMES)


def _read(path: Path) -> Given:
    # Only a password may hold a blank and a #.
    return read_file(path, key_of, _NAMES, {"CLUSTER.DB_PASSWORD"})


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
} - {("S3", kind.option) for kind in KINDS} | {("AWS", "bucket_region"), ("S3", "data")}
