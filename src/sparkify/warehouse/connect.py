"""From the settings to the engine they choose."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sparkify.errors import Command, ConfigError, EngineError, Hint
from sparkify.records import RecordKind
from sparkify.settings import Settings
from sparkify.warehouse.engine import Engine, OnWait
from sparkify.warehouse.version import OnOlder, ignore_older

if TYPE_CHECKING:
    from sparkify.warehouse.redshift.copying import CopySource
    from sparkify.warehouse.redshift.recording import Answers, RedshiftRecording
    from sparkify.warehouse.redshift.session import RedshiftSession
    from sparkify.warehouse.redshift.staging import StagingArea
    from sparkify.warehouse.redshift.transport import Credentials, Logins, Transport


def open_engine(
    settings: Settings,
    *,
    wait: float = 30.0,
    on_wait: OnWait = nullcontext,
    on_older: OnOlder = ignore_older,
    logins: Logins | None = None,
) -> Engine:
    """Return the engine the settings choose, without connecting to anything.

    Args:
        settings: Where the warehouse is.
        wait: Seconds to wait for another process that holds a DuckDB file. On Redshift a run queues up.
        on_wait: Context entered with the holder's name after one second of waiting; left when the wait ends.
        on_older: Called when a warehouse opened for reading has an older version.
        logins: What asks AWS for a way into Redshift; None: nobody asks.

    Raises:
        ConfigError: The settings do not say where the cluster is, or the driver is not installed.
    """
    if settings.dwh.engine == "redshift":
        return _open_redshift(settings, logins, on_wait, on_older)
    from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine

    return DuckDBEngine(
        _database_file(settings.dwh.database),
        memory=settings.dwh.memory,
        wait=wait,
        on_wait=on_wait,
        on_older=on_older,
    )


def _database_file(name: str) -> Path:
    """Return the path of a warehouse's DuckDB file.

    Raises:
        ConfigError: DuckDB cannot store a database under that name.
    """
    wrong = ""
    if name.startswith(":memory:"):
        wrong = "is gone when the command ends"
    elif "?" in str(Path(name).parent):
        wrong = "has a ? in a folder's name, where DuckDB looks for options"
    elif not name.isprintable() or not _is_utf8(name):
        wrong = "contains characters that DuckDB does not allow in a file name"
    if wrong:
        shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise ConfigError(f"the database {shown} {wrong}.", "Name a file with --database or [DWH] DATABASE.")
    return Path(name)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def open_recording(settings: Settings, answers: Answers) -> RedshiftRecording:
    """Return a Redshift engine that records statements instead of sending them."""
    from sparkify.warehouse.redshift.recording import RedshiftRecording
    from sparkify.warehouse.redshift.transport import INSERT_BYTES

    size = INSERT_BYTES[settings.cluster.transport]
    return RedshiftRecording(settings.cluster, *ways_to_s3(settings), answers, insert_bytes=size)


def _open_redshift(settings: Settings, logins: Logins | None, on_wait: OnWait, on_older: OnOlder) -> Engine:
    session = open_session(settings, logins)
    from sparkify.warehouse.redshift.copying import CopyLoader
    from sparkify.warehouse.redshift.redshift_engine import RedshiftEngine

    reading, area = ways_to_s3(settings)
    loader = CopyLoader(session, reading, area)
    return RedshiftEngine(session, settings.cluster.db_name, loader, on_wait, on_older)


def open_session(settings: Settings, logins: Logins | None) -> RedshiftSession:
    """Return a session on the cluster, without connecting to anything.

    Args:
        settings: Where the cluster is, and how it is reached.
        logins: What asks AWS for a way in; None: nobody asks.

    Raises:
        ConfigError: The settings do not say where the cluster is or how to log in, or a library is missing.
    """
    from sparkify.warehouse.redshift.session import RedshiftSession

    return RedshiftSession(_transport(settings, logins))


def _transport(settings: Settings, logins: Logins | None) -> Transport:
    cluster = settings.cluster
    if cluster.transport == "data-api":
        return _data_api(settings, logins)
    if not cluster.host:
        raise ConfigError(
            "the engine is redshift, and [CLUSTER] HOST is empty.",
            Hint(
                "Set it ({} does), or say --engine duckdb to load into a DuckDB file.",
                Command("cluster", "create"),
            ),
        )
    try:
        from sparkify.warehouse.redshift.driver_transport import DriverTransport
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] != "redshift_connector":
            raise
        raise ConfigError("AWS's Redshift driver is not installed.", "pip install '.[aws]'") from exc
    return DriverTransport(cluster, _credentials(settings, logins))


def _credentials(settings: Settings, logins: Logins | None) -> Credentials:
    cluster = settings.cluster
    if cluster.db_password:
        user, password = cluster.db_user, str(cluster.db_password)
        return lambda: (user, password)
    if logins is None or logins.password is None:
        raise ConfigError("[CLUSTER] DB_PASSWORD is empty.", "Set it in dwh.cfg.")
    return logins.password


def _data_api(settings: Settings, logins: Logins | None) -> Transport:
    try:
        from sparkify.warehouse.redshift.data_api import DataApiTransport
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] != "botocore":
            raise
        raise ConfigError(
            "[CLUSTER] TRANSPORT is data-api, and boto3 is not installed.", "pip install '.[aws]'"
        ) from exc
    if logins is None or logins.data_api is None:
        raise ConfigError(
            "[CLUSTER] TRANSPORT is data-api, and nobody asks AWS for it here.",
            "Set it to driver, or use the command line.",
        )
    return DataApiTransport(settings.cluster_shown, settings.cluster, logins.data_api)


def ways_to_s3(settings: Settings) -> tuple[CopySource, StagingArea | None]:
    """Return how the cluster reads S3, and the staging area for its input (None without STAGING)."""
    from sparkify.warehouse.redshift.copying import CopySource

    jsonpaths = cache(lambda: log_jsonpaths(settings))
    region = cache(lambda: copy_region(settings))
    return CopySource(settings.iam_role.arn, region, jsonpaths), open_staging(settings)


def open_staging(settings: Settings) -> StagingArea | None:
    """Return the staging area for a cluster's input, without connecting to anything.

    Raises:
        ConfigError: STAGING is not on S3, or lies below the data.
    """
    from sparkify.lake.uri import is_s3, parse_s3
    from sparkify.lake.writer import Writer
    from sparkify.warehouse.redshift.staging import StagingArea

    staging = settings.s3.staging
    if not staging:
        return None
    if not is_s3(staging):
        raise ConfigError(
            f"[S3] STAGING is {staging}, which a cluster cannot read.", "Set it to an s3:// prefix."
        )
    place = parse_s3(staging)
    for kind, data in settings.s3.places.items():
        if is_s3(data) and parse_s3(data).holds(place):
            raise ConfigError(
                f"[S3] STAGING, {staging}, lies below {kind.setting}: what we write there would be read as "
                "data.",
                "Set it to a prefix beside the data.",
            )
    return StagingArea(Writer(staging, settings.aws))


def verify_readable(settings: Settings, kind: RecordKind) -> None:
    """Raise unless the chosen engine can read the files of a kind.

    Raises:
        ConfigError: The files are local, the engine is Redshift, and there is no STAGING to upload them to.
    """
    if settings.dwh.engine == "redshift" and not kind.packed and not settings.s3.staging:
        from sparkify.warehouse.redshift.copying import verify_on_s3

        verify_on_s3(settings.s3.place_of(kind), kind)


def copy_region(settings: Settings) -> str:
    """Return the region of the buckets that COPY reads.

    Raises:
        ConfigError: The buckets are in several regions. A COPY names one, for data, manifest and JSONPaths.
    """
    from sparkify.lake.uri import is_s3, parse_s3
    from sparkify.settings.resolution import bucket_region

    # Packed files are not in the list: this process reads them and uploads their records to STAGING.
    data = {kind.setting: uri for kind, uri in settings.s3.places.items() if not kind.packed}
    read = {**data, "LOG_JSONPATH": settings.s3.log_jsonpath, "STAGING": settings.s3.staging}
    regions = {
        name: bucket_region(settings.aws, parse_s3(uri).bucket) for name, uri in read.items() if is_s3(uri)
    }
    if len(set(regions.values())) > 1:
        places = ", ".join(f"{name} in {region}" for name, region in regions.items())
        raise ConfigError(
            f"a COPY reads from one region, and these are in several: {places}.",
            f"Set [S3] STAGING and LOG_JSONPATH to buckets in the region of {', '.join(data) or 'the data'}.",
        )
    return next(iter(regions.values()), "")


def log_jsonpaths(settings: Settings) -> str:
    """Verify the user's JSONPaths file and return its URI; empty where none is set.

    Raises:
        ConfigError: A cluster cannot use the file.
        SourceError: The file cannot be read.
    """
    uri = settings.s3.log_jsonpath
    if uri:
        from sparkify.lake.bucket import Bucket
        from sparkify.lake.uri import is_s3
        from sparkify.warehouse.redshift.jsonpaths import verify_jsonpaths

        if not is_s3(uri):
            raise ConfigError(
                f"[S3] LOG_JSONPATH is {uri}, which a cluster cannot read.",
                "Put it on S3, or leave LOG_JSONPATH empty.",
            )
        verify_jsonpaths(Bucket(uri, settings.aws).read_named(), uri)
    return uri


def require(engine: Engine, *, exists: bool) -> None:
    """Raise unless the warehouse has our tables; it must be open, if it exists.

    Raises:
        EngineError: There is no warehouse, or its tables are missing.
    """
    if exists and {"etl.runs", "public.songplays"} <= engine.tables():
        return
    raise EngineError(
        f"there is no warehouse yet: {'the tables are missing in ' if exists else ''}{engine.place}"
        f"{'' if exists else ' does not exist'}.",
        Hint(
            "{} or {} makes it; or name another with --database or --config.",
            Command("etl"),
            Command("create-tables"),
        ),
    )
