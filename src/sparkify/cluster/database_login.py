"""Credentials of the database on Redshift: those of dwh.cfg, or temporary ones from AWS."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sparkify.cluster.aws import Aws
from sparkify.cluster.region import verify_host
from sparkify.cluster.spec import identifier_of, is_serverless
from sparkify.settings import Settings


def database_credentials(aws: Aws, settings: Settings) -> tuple[str, str]:
    """Return user and password: those of dwh.cfg, or temporary ones from AWS where the password is empty.

    Raises:
        ConfigError: HOST is in another region than these credentials are asked in.
    """
    cluster = settings.cluster
    if cluster.db_password:
        return cluster.db_user, str(cluster.db_password)
    identifier = identifier_of(settings)
    verify_host(cluster.host, identifier, aws.region)
    if is_serverless(settings):
        with _unlogged():
            answer = aws.call(
                "redshift-serverless", "get_credentials", workgroupName=identifier, dbName=cluster.db_name
            )
        return answer["dbUser"], answer["dbPassword"]
    with _unlogged():
        answer = aws.call(
            "redshift",
            "get_cluster_credentials",
            ClusterIdentifier=identifier,
            DbUser=cluster.db_user,
            DbName=cluster.db_name,
        )
    return answer["DbUser"], answer["DbPassword"]


@contextmanager
def _unlogged() -> Iterator[None]:
    """Prevent botocore from logging responses at DEBUG: these contain passwords."""

    def refuse(_: logging.LogRecord) -> bool:
        return False

    logger = logging.getLogger("botocore.parsers")
    logger.addFilter(refuse)
    try:
        yield
    finally:
        logger.removeFilter(refuse)
