"""Connect to the database on Redshift, and test whether its port answers."""

from __future__ import annotations

import socket
from typing import Any

from sparkify.settings import ClusterSettings
from sparkify.warehouse.redshift.driver import DRIVER_ERRORS, connect
from sparkify.warehouse.redshift.refused import not_let_in, not_reached

# Seconds to wait for the cluster's port to answer.
REACH_SECONDS = 5.0


def reach(cluster: ClusterSettings, seconds: float = REACH_SECONDS) -> None:
    """Connect to the cluster's port and close the connection.

    Raises:
        EngineError: Nothing answers at the port.
    """
    try:
        socket.create_connection((cluster.host, cluster.db_port), timeout=seconds).close()
    except (OSError, UnicodeError) as exc:
        raise not_reached(exc, cluster.host, cluster.db_port, seconds) from exc


def log_in(cluster: ClusterSettings, user: str, password: str, timeout: int = 10) -> Any:
    """Return an open connection of AWS's driver; ``timeout`` in seconds, for each answer.

    Raises:
        EngineError: Nothing answers, the certificate is not trusted, or the database refuses the login.
    """
    try:
        return connect(
            host=cluster.host,
            port=cluster.db_port,
            database=cluster.db_name,
            user=user,
            password=password,
            timeout=timeout,
        )
    except (*DRIVER_ERRORS, KeyError, UnicodeError) as exc:
        raise not_let_in(exc, cluster, user, timeout) from exc
