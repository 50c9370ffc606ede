"""The database in which a proof works, beside the user's own: made, and removed whatever happens.

Our schemas have fixed names (``public``, ``etl``, ``analytics``), so nothing of ours can stand beside a
warehouse in its own database. In another one every statement is sent as a run sends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sparkify.errors import ConfigError, EngineError, TransientEngineError
from sparkify.lake.writer import Writer
from sparkify.settings import Settings
from sparkify.warehouse.connect import open_session
from sparkify.warehouse.redshift.session import RedshiftSession
from sparkify.warehouse.redshift.transport import Logins
from sparkify.warehouse.statements import statement

# As in sql/redshift/proof: DDL takes no parameters.
DATABASE = "sparkify_proof"
# Below [S3] STAGING.
_FOLDER = "sparkify-proof"
# Seconds between attempts to drop it: the cluster takes a moment to notice that our sessions have ended.
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

LoginsFor = Callable[[Settings], Logins]


def verify_settings(settings: Settings) -> None:
    """Raise unless the settings lead to a cluster, and to a place on S3 that it reads and we write.

    Raises:
        ConfigError: They do not.
    """
    if settings.dwh.engine != "redshift":
        raise ConfigError(
            "prove is for Redshift, and the engine is duckdb.",
            "Fill in [CLUSTER] HOST, or name another dwh.cfg with --config.",
        )
    if not settings.s3.staging:
        raise ConfigError(
            "[S3] STAGING is empty: COPY needs a prefix that we may write to.",
            "Set it to an s3:// prefix; what is written there is removed again.",
        )


@contextmanager
def scratch_database(settings: Settings, logins: LoginsFor) -> Iterator[Settings]:
    """Make the database; yield settings that lead to it; remove it, and all that lies below its STAGING.

    Args:
        settings: Those of the user.
        logins: Gives what asks AWS for a way in, for some settings.

    Raises:
        ConfigError: A database of that name is there already.
        EngineError: It cannot be made, or not be removed.
    """
    inside = replace(
        settings,
        cluster=replace(settings.cluster, db_name=DATABASE),
        s3=replace(
            settings.s3,
            staging=f"{settings.s3.staging.rstrip('/')}/{_FOLDER}",
            log_jsonpath="",
            data=dict.fromkeys(settings.s3.data, ""),
        ),
    )
    with _session(settings, logins) as session:
        if session.send(statement("redshift/proof/find_database.sql").text, "the database")[1]:
            raise ConfigError(
                f"there is a database {DATABASE} already: of a proof that is under way, or that was killed.",
                f"If none is, remove it in a SQL client: DROP DATABASE {DATABASE}.",
            )
    try:
        _make(settings, logins)
        yield inside
    except _NotMade:
        raise
    except BaseException as exc:
        _remove(inside, settings, logins)
        exc.add_note("what was made for it is removed")
        raise
    _remove(inside, settings, logins)


class _NotMade(EngineError):
    """The cluster has refused to make the database: there is none of ours to remove."""


def _make(settings: Settings, logins: LoginsFor) -> None:
    try:
        with _session(settings, logins) as session:
            session.send(statement("redshift/proof/create_database.sql").text, "CREATE DATABASE")
    except TransientEngineError:
        raise  # it may have been made
    except EngineError as exc:
        denied = "permission denied" in exc.message
        hint = "A superuser gives the right with ALTER USER … CREATEDB, and takes it with NOCREATEDB."
        raise _NotMade(exc.message, hint if denied else exc.hint) from exc


def _remove(inside: Settings, settings: Settings, logins: LoginsFor) -> None:
    try:
        _empty(inside)
    finally:
        _drop(settings, logins)


@contextmanager
def _session(settings: Settings, logins: LoginsFor) -> Iterator[RedshiftSession]:
    session = open_session(settings, logins(settings))
    try:
        yield session
    finally:
        session.close()


def _empty(inside: Settings) -> None:
    writer = Writer(inside.s3.staging, inside.aws)
    left = writer.keys()
    if left:
        writer.remove(left)


def _drop(settings: Settings, logins: LoginsFor) -> None:
    for pause in (*_PAUSES, None):
        try:
            with _session(settings, logins) as session:
                session.send(statement("redshift/proof/drop_database.sql").text, "DROP DATABASE")
        except EngineError as exc:
            if "does not exist" in exc.message:
                return
            if pause is None:
                raise EngineError(
                    f"the database {DATABASE} could not be removed: {exc.message}",
                    f"Remove it in a SQL client: DROP DATABASE {DATABASE}.",
                ) from exc
            time.sleep(pause)
        else:
            return
