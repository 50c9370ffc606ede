"""Make the boto3 clients for the settings, and test whether the file with the credentials is safe.

Makes the boto3 clients; whose credentials they use, and where, says :mod:`sparkify.settings.resolution`.
"""

from __future__ import annotations

import os
import stat
import subprocess
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sparkify.cluster.aws import Aws
from sparkify.settings import Settings, holds_secrets
from sparkify.settings.resolution import open_session, s3_endpoint


def connect(settings: Settings) -> Aws:
    """Return the port to AWS for these settings, without sending anything.

    Raises:
        ConfigError: boto3 is not installed, the profile does not exist, or KEY is set without SECRET.
    """
    aws = settings.aws
    session = open_session(aws)
    from botocore.config import Config

    s3 = s3_endpoint(aws)
    # Retries are in Aws.call only, with an injected sleep.
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=10,
        read_timeout=60,
        s3={"addressing_style": "path"} if s3 else None,
    )

    @cache
    def client(service: str) -> Any:
        return session.client(
            service,  # type: ignore[call-overload]  # the stubs have one overload per literal name
            # Without a configured endpoint boto3 finds each service's own. ENDPOINT_URL is a server for S3;
            # where the Data API is, AWS_ENDPOINT_URL_REDSHIFT_DATA may say.
            endpoint_url={"s3": s3, "redshift-data": ""}.get(service, aws.endpoint_url) or None,
            config=config,
        )

    return Aws(client, region=session.region_name, clock=lambda: datetime.now(UTC), sleep=time.sleep)


def exposures(settings: Settings) -> list[str]:
    """Return a warning for each way in which others can read the secrets in dwh.cfg."""
    path = settings.path
    if path is None or not holds_secrets(path):
        return []
    found = []
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        found.append(f"{path} holds secrets and other users of this machine can read it: chmod 600 {path}")
    if _tracked(path):
        found.append(
            f"{path} holds secrets and git tracks it: git rm --cached {path}, add it to .gitignore,"
            " and replace the keys, for they are in the history"
        )
    return found


def _tracked(path: Path) -> bool:
    try:
        done = subprocess.run(
            ["git", "ls-files", "--error-unmatch", path.name],
            cwd=path.resolve().parent,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
