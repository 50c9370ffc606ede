"""The database in which a proof works, beside the user's own: made, and removed whatever happens.

Our schemas have fixed names (``public``, ``etl``, ``analytics``), so nothing of ours can stand beside a
warehouse in its own database. In another one every statement is sent as a run sends it. Its name, and that of
the folder below STAGING, ends in letters drawn by chance: what has it is this proof's, and nobody else's.
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from sparkify.errors import ConfigError, EngineError, SparkifyError, TransientEngineError
from sparkify.lake.writer import Writer
from sparkify.settings import Settings
from sparkify.warehouse.connect import open_session
from sparkify.warehouse.redshift.literals import Word, fill
from sparkify.warehouse.redshift.refused import is_refused_password
from sparkify.warehouse.redshift.session import RedshiftSession
from sparkify.warehouse.redshift.transport import Logins
from sparkify.warehouse.statements import statement

_DATABASE = "sparkify_proof_"
# Below [S3] STAGING.
_FOLDER = "sparkify-proof-"
_LETTERS = 8
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


class Scratch(NamedTuple):
    """What a proof makes: its database, and the folder below STAGING, with a trailing slash."""

    database: str
    folder: str

    @classmethod
    def drawn(cls, settings: Settings) -> Scratch:
        """Return names that nothing else has."""
        # DDL takes no parameters, and what is written into it is letters alone.
        chance = "".join(secrets.choice(string.ascii_lowercase) for _ in range(_LETTERS))
        return cls(f"{_DATABASE}{chance}", f"{settings.s3.staging.rstrip('/')}/{_FOLDER}{chance}/")


@contextmanager
def scratch_database(
    settings: Settings, scratch: Scratch, logins: LoginsFor
) -> Iterator[tuple[Settings, list[str]]]:
    """Make the database; remove it in the end, and all that lies below its folder.

    Args:
        settings: Those of the user.
        scratch: What is made.
        logins: Gives what asks AWS for a way in, for some settings.

    Yields:
        Settings that lead to it, and the names of the databases that other proofs have made and not removed.

    Raises:
        EngineError: It cannot be made, or not be removed.
    """
    inside = replace(
        settings,
        cluster=replace(settings.cluster, db_name=scratch.database),
        s3=replace(
            settings.s3,
            staging=scratch.folder.rstrip("/"),
            log_jsonpath="",
            data=dict.fromkeys(settings.s3.data, ""),
        ),
    )
    sent = False
    try:
        with _session(settings, logins) as session:
            others = _find_databases(session)
            sent = True
            _create(session, scratch)
        yield inside, others
    except _Refused:
        raise
    except BaseException as exc:
        # After a lost connection, too: what has the name is ours, nobody else has drawn it.
        if sent:
            try:
                _remove(inside, settings, scratch, logins)
            except EngineError as left:
                exc.add_note(left.message)
                exc.add_note(f"To be removed by hand: the database {scratch.database}, and {scratch.folder}.")
            else:
                exc.add_note("what was made for it is removed")
        raise
    _remove(inside, settings, scratch, logins)


class _Refused(EngineError):
    """The cluster has refused to make the database: there is none of ours to remove."""


def _find_databases(session: RedshiftSession) -> list[str]:
    found = session.send(statement("redshift/proof/find_databases.sql").text, "the databases")[1]
    return [str(name) for (name,) in found]


def _create(session: RedshiftSession, scratch: Scratch) -> None:
    create = statement("redshift/proof/create_database.sql").text
    try:
        session.send(fill(create, {"database": Word(scratch.database)}), "CREATE DATABASE")
    except TransientEngineError:
        raise  # it may be there
    except EngineError as exc:
        denied = "permission denied" in exc.message
        hint = "A superuser gives the right with ALTER USER … CREATEDB, and takes it with NOCREATEDB."
        raise _Refused(exc.message, hint if denied else exc.hint) from exc


def _remove(inside: Settings, settings: Settings, scratch: Scratch, logins: LoginsFor) -> None:
    """Remove all of it; what could not be is named.

    Raises:
        EngineError: Something could not be removed.
    """
    failures = []
    hints = []
    try:
        _empty(inside)
    except SparkifyError as exc:
        failures.append(f"what was written below {scratch.folder} could not be removed: {exc.message}")
        hints.append(f"Remove what is below {scratch.folder}: it is of this proof alone.")
    try:
        _drop(settings, scratch, logins)
    except SparkifyError as exc:
        failures.append(f"the database {scratch.database} could not be removed: {exc.message}")
        hints.append(f"Remove it in a SQL client: DROP DATABASE {scratch.database}.")
    if failures:
        raise EngineError(" And ".join(failures), " ".join(hints))


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


def _drop(settings: Settings, scratch: Scratch, logins: LoginsFor) -> None:
    """Drop the database, in several attempts; none after a refused password, of which Redshift counts five.

    Raises:
        SparkifyError: It is still there.
    """
    drop = fill(statement("redshift/proof/drop_database.sql").text, {"database": Word(scratch.database)})
    for pause in (*_PAUSES, None):
        try:
            with _session(settings, logins) as session:
                session.send(drop, "DROP DATABASE")
        except EngineError as exc:
            if "does not exist" in exc.message and scratch.database in exc.message:
                return
            if pause is None or is_refused_password(exc.__cause__):
                raise
            time.sleep(pause)
        else:
            return
