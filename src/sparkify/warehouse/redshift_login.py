"""One connection to the database on Redshift, for looking: who gets in, and what he may do there."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from sparkify.errors import ConfigError, EngineError
from sparkify.settings import ClusterSettings
from sparkify.warehouse.statements import statement


def log_in(cluster: ClusterSettings, user: str, password: str, timeout: int = 10) -> Any:
    """Return an open connection of AWS's driver; ``timeout`` in seconds, for each answer.

    Raises:
        ConfigError: The driver is not installed.
        EngineError: The database does not let us in.
    """
    try:
        import redshift_connector
        from redshift_connector.error import Error
    except ImportError as exc:
        raise ConfigError("AWS's Redshift driver is not installed.", "pip install 'sparkify[aws]'") from exc
    try:
        return redshift_connector.connect(
            host=cluster.host,
            port=cluster.db_port,
            database=cluster.db_name,
            user=user,
            password=password,
            timeout=timeout,
        )
    except (Error, OSError) as exc:
        raise EngineError(
            f"{cluster.db_name} on {cluster.host} does not let {user} in: {_reason(exc)}",
            "Check DB_NAME, DB_USER and DB_PASSWORD in dwh.cfg.",
        ) from exc


def missing_privileges(connection: Any) -> list[str]:
    """Return what the ETL needs and the user does not have."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement("doctor/may_create.sql").text)
        in_schema, in_database = cursor.fetchone()
        cursor.execute(statement("doctor/closed_tables.sql").text)
        tables = [row[0] for row in cursor.fetchall()]
    missing = [] if in_schema else ["CREATE on schema public"]
    missing += [] if in_database else ["CREATE on the database (for the schemas etl and analytics)"]
    return missing + [f"SELECT, INSERT and DELETE on {table}" for table in tables]


def _reason(exc: Exception) -> str:
    # The driver's errors carry the server's fields as a dictionary: M is the message.
    fields = exc.args[0] if exc.args else ""
    return str(fields.get("M", fields)) if isinstance(fields, dict) else str(exc)
