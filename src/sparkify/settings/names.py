"""The other names people give our keys, as published files of this exercise have them.

Owns which key a name in a section means. The file's text is :mod:`sparkify.settings.file`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

# The keys and sections of dwh.cfg, as ``SECTION.KEY``, that other names stand for, whatever their section.
_OTHER_NAMES: Mapping[str, str] = {
    "CLUSTER.DB_NAME": "DWH_DB DWH_DB_NAME DB DBNAME DATABASE_NAME",
    "CLUSTER.DB_USER": "DWH_DB_USER DWH_USER DB_USERNAME USERNAME USER",
    "CLUSTER.DB_PASSWORD": "DWH_DB_PASSWORD DWH_PASSWORD DB_PASS PASSWORD",
    "CLUSTER.DB_PORT": "DWH_PORT DWH_DB_PORT PORT",
    "CLUSTER.HOST": "DWH_ENDPOINT DWH_HOST DB_HOST ENDPOINT CLUSTER_ENDPOINT",
    "IAM_ROLE.ARN": "DWH_ROLE_ARN DWH_IAM_ROLE_ARN IAM_ROLE_ARN ROLE_ARN ARN_ROLE",
    "DWH.DWH_IAM_ROLE_NAME": "IAM_ROLE_NAME DWH_ROLE_NAME ROLE_NAME",
    "DWH.DWH_CLUSTER_TYPE": "CLUSTER_TYPE",
    "DWH.DWH_NUM_NODES": "NUM_NODES",
    "DWH.DWH_NODE_TYPE": "NODE_TYPE",
    "DWH.DWH_CLUSTER_IDENTIFIER": "CLUSTER_IDENTIFIER DWH_IDENTIFIER",
    "AWS.KEY": "AWS_ACCESS_KEY_ID ACCESS_KEY_ID ACCESS_KEY AWS_KEY",
    "AWS.SECRET": "AWS_SECRET_ACCESS_KEY SECRET_ACCESS_KEY SECRET_KEY AWS_SECRET",
    "AWS.SESSION_TOKEN": "AWS_SESSION_TOKEN TOKEN",
    "AWS.REGION": "REGION REGION_NAME DWH_REGION AWS_REGION AWS_DEFAULT_REGION DB_ZONE",
    "S3.LOG_JSONPATH": "LOG_JSON_PATH LOG_JSONPATHS LOG_JSON_FORMAT",
}
_KEY_OF = {name: key for key, names in _OTHER_NAMES.items() for name in names.split()}
# Names that mean something else in one section than elsewhere.
_IN_SECTION: Mapping[tuple[str, str], str] = {
    ("CLUSTER", "DATABASE"): "CLUSTER.DB_NAME",
    ("S3", "REGION_NAME"): "S3.REGION",
    ("S3", "AWS_REGION"): "S3.REGION",
}
# Our own, in no published file: elsewhere than in their section they are a mistake.
_OURS = frozenset({"DATABASE", "ENGINE", "MEMORY", "MODELS"})


def key_meant(section: str, name: str, known: Collection[str]) -> str:
    """Return the ``SECTION.KEY`` that a name in a section means; empty where it means none.

    Args:
        section: The section, in capitals; it need not be one of ours.
        name: The name, in capitals.
        known: Our keys, each as ``SECTION.KEY``.
    """
    if (here := f"{section}.{name}") in known:
        return here
    if found := _IN_SECTION.get((section, name)) or _KEY_OF.get(name):
        return found
    if name in _OURS:
        return ""
    elsewhere = [key for key in known if key.partition(".")[2] == name]
    return elsewhere[0] if len(elsewhere) == 1 else ""
