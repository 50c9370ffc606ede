"""Which credentials and region AWS is asked with, and whether the file they are in is safe.

The standard AWS chain, or a named profile, or the mission's KEY and SECRET. Makes the boto3 clients; keeps
nothing.
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
from sparkify.errors import ConfigError
from sparkify.settings import Settings, holds_secrets

# Where the mission's bucket is. Only for a dwh.cfg, environment and profile that name no region.
DEFAULT_REGION = "us-west-2"


def connect(settings: Settings) -> Aws:
    """Return the port to AWS for these settings; nothing is sent yet.

    Raises:
        ConfigError: boto3 is not installed, the profile does not exist, or KEY stands without SECRET.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import ProfileNotFound
    except ImportError as exc:
        raise ConfigError(
            "this command talks to AWS and boto3 is not installed.", "pip install '.[aws]'"
        ) from exc
    aws = settings.aws
    aws.verify_keys()
    try:
        session = boto3.session.Session(
            aws_access_key_id=str(aws.key) or None,
            aws_secret_access_key=str(aws.secret) or None,
            profile_name=None if aws.key else aws.profile or None,
            region_name=aws.region or None,
        )
        region = session.region_name or DEFAULT_REGION
    except ProfileNotFound as exc:
        raise ConfigError(
            f"there is no AWS profile {aws.profile or os.environ.get('AWS_PROFILE', '')!r}.",
            "See `aws configure list-profiles`, then correct PROFILE in dwh.cfg or AWS_PROFILE.",
        ) from exc
    # Retries are Aws.call's, in one place, with its own sleep.
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=10,
        read_timeout=60,
        s3={"addressing_style": "path"} if aws.endpoint_url else None,
    )

    @cache
    def client(service: str) -> Any:
        return session.client(
            service,  # type: ignore[call-overload]  # the stubs have one overload per literal name
            region_name=region,
            endpoint_url=aws.endpoint_url or None,
            config=config,
        )

    return Aws(client, region=region, clock=lambda: datetime.now(UTC), sleep=time.sleep)


def exposures(settings: Settings) -> list[str]:
    """Return a sentence for each way others can read the secrets in dwh.cfg."""
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
