"""The places of [S3], in the order they are asked: each is tried by what a run opens it with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sparkify.cluster.aws import Aws
from sparkify.cluster.spec import DATA_KEYS, S3_KEYS
from sparkify.doctor.verdicts import Finding, tried
from sparkify.lake.stores import open_store
from sparkify.lake.uri import is_s3, parse_s3
from sparkify.pipeline.plan import verify_roots
from sparkify.records import KINDS
from sparkify.settings import Settings
from sparkify.settings.resolution import told_region
from sparkify.text import counted
from sparkify.warehouse.connect import copy_region, log_jsonpaths, open_staging, verify_readable


def used_places(settings: Settings) -> dict[str, str]:
    """Return the places a run would open, by their key: DuckDB has no use for what COPY needs."""
    keys = S3_KEYS if settings.dwh.engine == "redshift" else DATA_KEYS
    places = {key: settings.s3.value(key) for key in keys}
    for kind in KINDS:
        if kind.jsonpaths and not places[kind.setting]:
            places.pop(kind.jsonpaths, None)
    return {key: uri for key, uri in places.items() if uri}


def look_at(settings: Settings, aws: Aws | None, *, credentials: bool) -> Iterator[Finding]:
    """Yield a check of every place.

    Args:
        settings: Where they are.
        aws: Tells where a bucket is; None: nobody does.
        credentials: Whether there are any to ask S3 with; without them it is not asked.
    """
    used = used_places(settings)
    for key in S3_KEYS:
        uri = settings.s3.value(key)
        if not uri:
            yield from _empty(key, settings, used)
        elif key not in used:
            yield Finding(key, ok=True, found=f"{uri} is not used: {_why_not(settings)}")
        elif credentials or not is_s3(uri):
            yield tried(key, partial(_look, key, uri, settings, aws))


def _empty(key: str, settings: Settings, used: dict[str, str]) -> Iterator[Finding]:
    if key in DATA_KEYS:
        other = " and ".join(kind.name for kind in settings.s3.places if kind.setting in used)
        found = f"empty: a run loads {other} only" if other else "empty"
        remedy = f"Set [S3] {key} in dwh.cfg{', if there are any' if other else ''}."
        yield Finding(key, bool(other), found, remedy)
    elif key == "STAGING" and settings.dwh.engine == "redshift":
        yield Finding(key, ok=True, found="empty; songs are sent as literals")


def _why_not(settings: Settings) -> str:
    return "it is for logs" if settings.dwh.engine == "redshift" else "it is for Redshift"


def _look(key: str, uri: str, settings: Settings, aws: Aws | None) -> str:
    if key == "STAGING":
        staging = open_staging(settings)
        copy_region(settings)
        return staging.probe() if staging else ""
    if key == "LOG_JSONPATH":
        log_jsonpaths(settings)
        if not settings.s3.staging:  # else that line says so
            copy_region(settings)
        (kind,) = (kind for kind in KINDS if kind.jsonpaths == key)
        return f"{_named(uri, settings, aws)}: {counted(len(kind.fields), 'path')}"
    store = open_store(uri, settings.aws)
    found = store.probe().objects
    (kind,) = (kind for kind in KINDS if kind.setting == key)
    verify_readable(settings, kind)
    verify_roots([(each, open_store(place, settings.aws).uri) for each, place in settings.s3.places.items()])
    return f"{_named(store.uri, settings, aws)}, {counted(len(found), 'file')} such as {found[0].key}"


def _named(uri: str, settings: Settings, aws: Aws | None) -> str:
    """Return a place with the region of its bucket, where S3 tells; to ask it takes no permission."""
    region = told_region(settings.aws, parse_s3(uri).bucket) if is_s3(uri) else ""
    if not region:
        return uri
    billed = f" (the cluster's is {aws.region}: transfer is billed)" if aws and region != aws.region else ""
    return f"{uri} in {region}{billed}"
