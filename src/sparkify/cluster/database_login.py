"""Credentials of the database on Redshift: those of dwh.cfg, or those that AWS keeps or gives."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sparkify.cluster.aws import Aws
from sparkify.cluster.region import region_of_host, verify_host
from sparkify.cluster.serverless import admin_of
from sparkify.cluster.spec import identifier_of, is_serverless
from sparkify.errors import ConfigError
from sparkify.settings import Settings
from sparkify.warehouse.redshift.transport import DataApiLogin


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


def data_api_login(aws: Aws, settings: Settings) -> DataApiLogin:
    """Return as whom the Data API logs in where: it takes no password.

    On a cluster of nodes DB_USER, with temporary credentials that AWS makes. On Serverless the administrator,
    with the secret that AWS keeps, where DB_USER is the administrator; else the user that AWS derives from
    who asks.

    Raises:
        ConfigError: HOST is another cluster than DWH_CLUSTER_IDENTIFIER, or in another region.
    """
    cluster = settings.cluster
    identifier = identifier_of(settings)
    verify_host(cluster.host, identifier, aws.region)
    _verify_same(cluster.host, identifier)
    client = aws.client("redshift-data")
    if not is_serverless(settings):
        target = {"ClusterIdentifier": identifier, "DbUser": cluster.db_user}
        return DataApiLogin(client, target, f"cluster {identifier} in {aws.region}", cluster.db_user)
    target, user = {"WorkgroupName": identifier}, ""
    admin, secret = admin_of(aws, identifier)
    if secret and admin == cluster.db_user:
        target["SecretArn"], user = secret, admin
    return DataApiLogin(client, target, f"workgroup {identifier} in {aws.region}", user)


def _verify_same(host: str, identifier: str) -> None:
    """Raise where HOST is the endpoint of another cluster: the Data API goes by the identifier."""
    named = host.lower().partition(".")[0]
    if region_of_host(host) and named != identifier:
        raise ConfigError(
            f"[CLUSTER] HOST is {host}, and the Data API would go to {identifier} (DWH_CLUSTER_IDENTIFIER).",
            f"Set [DWH] DWH_CLUSTER_IDENTIFIER = {named}; or leave HOST empty, with [DWH] ENGINE = redshift.",
        )


def way_in(settings: Settings) -> str:
    """Say as whom a run logs in, and with what; for the administrator that `create` makes."""
    cluster = settings.cluster
    over_data_api = cluster.transport == "data-api"
    if cluster.db_password and over_data_api and is_serverless(settings):
        return "the user that AWS derives from who runs it: the Data API takes no password"
    if cluster.db_password and not over_data_api:
        return f"{cluster.db_user}, with the password of dwh.cfg"
    if is_serverless(settings):
        return f"{cluster.db_user}, with the password that Secrets Manager keeps"
    if over_data_api:
        return f"{cluster.db_user}, with temporary credentials that AWS gives the Data API"
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
