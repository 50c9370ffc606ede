"""Every refusal of S3 leads to its own next step, whatever its HTTP status."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sparkify.errors import (
    CredentialsRefused,
    SourceDenied,
    SourceError,
    SourceNotFound,
    TransientSourceError,
)
from sparkify.lake.bucket import Bucket, RetryPolicy
from sparkify.settings import AwsSettings, Secret

QUICK = RetryPolicy(retries=1, first_wait=0.01, longest_wait=0.02)
CANARY = "canary-secret-0123456789"

# Code → status AWS gives it, our error, what the next step is about.
CODES: dict[str, tuple[int, type[SourceError], str]] = {
    "ExpiredToken": (400, CredentialsRefused, "SESSION_TOKEN"),
    "TokenRefreshRequired": (400, CredentialsRefused, "SESSION_TOKEN"),
    "InvalidToken": (400, CredentialsRefused, "SESSION_TOKEN"),
    "InvalidAccessKeyId": (403, CredentialsRefused, "access key"),
    "SignatureDoesNotMatch": (403, CredentialsRefused, "secret"),
    "RequestTimeTooSkewed": (403, CredentialsRefused, "clock"),
    "AccessDenied": (403, SourceDenied, "s3:ListBucket"),
    "AccessDenied(kms:Decrypt)": (403, SourceDenied, "kms:Decrypt"),
    "KMS.DisabledException": (400, SourceDenied, "kms:Decrypt"),
    "KMS.NotFoundException": (400, SourceDenied, "kms:Decrypt"),
    "InvalidObjectState": (403, SourceError, "Restore"),
    "NoSuchBucket": (404, SourceNotFound, "name"),
    "PermanentRedirect": (301, SourceError, "[S3] REGION to eu-west-1"),
    "TemporaryRedirect": (307, SourceError, "[S3] REGION to eu-west-1"),
    "AuthorizationHeaderMalformed": (400, SourceError, "[S3] REGION to eu-west-1"),
    "SlowDown": (503, TransientSourceError, "later"),
    "ServiceUnavailable": (503, TransientSourceError, "run again"),
    "InternalError": (500, TransientSourceError, "run again"),
    "OperationAborted": (409, SourceError, "store"),
}


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """An S3 that answers every listing with the code its prefix names; its endpoint."""

    class Refusal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, _, action = self.path.partition("prefix=")[2].partition("%2F")[0].partition("%28")
            status = next((s for c, (s, _, _) in CODES.items() if c.partition("(")[0] == code), 403)
            message = (
                f"not authorized to perform: {action.removesuffix('%29').replace('%3A', ':')}"
                if action
                else "m"
            )
            body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
            self.send_response(status)
            self.send_header("x-amz-bucket-region", "eu-west-1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 - the base class's name

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_own_next_step(refusing: str, code: str) -> None:
    """Case s3-hints-by-status."""
    _, kind, step = CODES[code]
    aws = AwsSettings(Secret("AKIAX"), Secret(CANARY), "", "", refusing, bucket_region="us-east-1")
    with pytest.raises(SourceError) as caught:
        Bucket(f"s3://bucket/{code}", aws, QUICK).listing()
    error = caught.value
    assert type(error) is kind
    assert step in error.hint
    assert code.partition("(")[0] in error.message or kind is SourceNotFound
    assert "REGION" not in error.hint or "[S3] REGION" in step
    assert CANARY not in f"{error.message} {error.hint} {error.__cause__}"


@pytest.mark.parametrize(
    ("key", "step"), [("AKIAX", "[AWS]"), ("", "aws sso login")], ids=["of the file", "of the chain"]
)
def test_an_expired_login_is_renewed_where_it_came_from(
    refusing: str, monkeypatch: pytest.MonkeyPatch, key: str, step: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAX")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    aws = AwsSettings(Secret(key), Secret(key and CANARY), "us-east-1", "", refusing)
    with pytest.raises(SourceDenied) as caught:
        Bucket("s3://bucket/ExpiredToken", aws, QUICK).listing()
    assert step in caught.value.hint


def test_a_prefix_named_like_a_redirect_is_none(refusing: str) -> None:
    aws = AwsSettings(Secret("AKIAX"), Secret("x"), "us-east-1", "", refusing)
    with pytest.raises(SourceDenied):
        Bucket("s3://bucket/AccessDenied/redirects", aws, QUICK).listing()
