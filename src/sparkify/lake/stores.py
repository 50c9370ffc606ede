"""From a URI to its store."""

from __future__ import annotations

from sparkify.errors import SourceNotFound, SparkifyError
from sparkify.lake.store import Store
from sparkify.lake.uri import is_s3
from sparkify.settings import AwsSettings


def open_store(uri: str, aws: AwsSettings) -> Store:
    """Return the store for an ``s3://`` URI or a local folder; nothing is contacted yet."""
    if is_s3(uri):
        from sparkify.lake.bucket import Bucket

        return Bucket(uri, aws)
    from sparkify.lake.folder import Folder

    return Folder(uri)


def is_gone(uri: str, aws: AwsSettings) -> bool:
    """Tell whether no data lies at a place any more; False where that cannot be found out."""
    try:
        return not open_store(uri or "/", aws).listing().objects
    except SourceNotFound:
        return True
    except SparkifyError:
        return False
