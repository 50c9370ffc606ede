"""Credentials of the database on Redshift: those of dwh.cfg, or those that AWS keeps or gives."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sparkify.cluster.aws import Aws
from sparkify.cluster.region import verify_host
from sparkify.cluster.serverless import admin_of
from sparkify.cluster.spec import identifier_of, is_serverless
from sparkify.settings import Settings


def database_credentials(aws: Aws, settings: Settings) -> tuple[str, str]:
    """Return user and password: those of dwh.cfg, or where the password is empty, those from AWS.

    Raises:
        ConfigError: HOST is in another region than these credentials are asked in.
    """
    cluster = settings.cluster
    if cluster.db_password:
        return cluster.db_user, str(cluster.db_password)
    identifier = identifier_of(settings)
    verify_host(cluster.host, identifier, aws.region)
    if is_serverless(settings):
        return _serverless_credentials(aws, settings, identifier)
    with _unlogged():
        answer = aws.call(
            "redshift",
            "get_cluster_credentials",
            ClusterIdentifier=identifier,
            DbUser=cluster.db_user,
            DbName=cluster.db_name,
        )
    return answer["DbUser"], answer["DbPassword"]


def _serverless_credentials(aws: Aws, settings: Settings, workgroup: str) -> tuple[str, str]:
    """Return the administrator's password where DB_USER is the administrator; else what AWS gives the caller.

    AWS gives each IAM identity a user of its own, ``IAM:name``, whatever DB_USER says: one without any rights
    until somebody grants them.
    """
    admin, secret = admin_of(aws, workgroup)
    if secret and admin == settings.cluster.db_user:
        with _unlogged():
            answer = aws.call("secretsmanager", "get_secret_value", SecretId=secret)
        return admin, str(json.loads(answer["SecretString"])["password"])
    with _unlogged():
        answer = aws.call(
            "redshift-serverless",
            "get_credentials",
            workgroupName=workgroup,
            dbName=settings.cluster.db_name,
        )
    return answer["dbUser"], answer["dbPassword"]


def way_in(settings: Settings) -> str:
    """Say as whom a run logs in, and with what; for the administrator that `create` makes."""
    cluster = settings.cluster
    if cluster.db_password:
        return f"{cluster.db_user}, with the password of dwh.cfg"
    if is_serverless(settings):
        return f"{cluster.db_user}, with the password that Secrets Manager keeps"
    return f"{cluster.db_user}, with temporary passwords that AWS gives"


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
