"""Start the stand-in by hand: `python -m tools.redshift_double --port 5439 --s3-endpoint http://127.0.0.1:9000`.

Prints what a dwh.cfg needs and serves until it is interrupted.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from contextlib import ExitStack
from typing import cast, get_args

from .data_api import DataApi
from .faults import Fault, FaultKind
from .options import Infidelity, Options
from .server import RedshiftDouble

_KINDS = (
    "serialization", "snapshot_conflict", "relation_gone", "drop_before", "drop_after", "refuse", "hang",
)  # fmt: skip


def _fault(text: str) -> Fault:
    kind, _, at = text.partition("@")
    if kind not in _KINDS or not at.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not KIND@NUMBER with KIND one of {', '.join(_KINDS)}")
    return Fault(cast("FaultKind", kind), at=int(at))


def _parser() -> argparse.ArgumentParser:
    defaults = Options()
    parser = argparse.ArgumentParser(prog="python -m tools.redshift_double", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--user", default=defaults.user)
    parser.add_argument("--password", default=defaults.password)
    parser.add_argument("--database", default=defaults.database)
    parser.add_argument("--s3-endpoint", help="an S3 server for COPY, as http://127.0.0.1:9000")
    parser.add_argument("--s3-key", default="", help="the cluster's own access key there")
    parser.add_argument("--s3-secret", default="")
    parser.add_argument("--iam-role", action="append", help="an ARN attached to the cluster (default: any)")
    parser.add_argument("--views", choices=("all", "provisioned", "serverless"), default=defaults.views)
    parser.add_argument("--resync", choices=("stream", "line"), default=defaults.resync)
    parser.add_argument("--latency", type=float, default=0, metavar="MS",
                        help="milliseconds until an answer arrives; a statement waits for two")  # fmt: skip
    parser.add_argument("--data-api", action="store_true", help="serve the Data API too")
    parser.add_argument("--tls", action="store_true", help="serve TLS with a self-signed certificate")
    parser.add_argument("--infidelity", action="append", default=[], choices=get_args(Infidelity),
                        help="be another cluster than documented in this")  # fmt: skip
    parser.add_argument("--fault", type=_fault, action="append", default=[], metavar="KIND@NUMBER",
                        help=f"go wrong at the n-th statement: {', '.join(_KINDS)}")  # fmt: skip
    parser.add_argument("--log", action="store_true", help="write every statement to stderr")
    return parser


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    arguments = _parser().parse_args()
    options = Options(
        user=arguments.user,
        password=arguments.password,
        database=arguments.database,
        s3_endpoint=arguments.s3_endpoint,
        s3_key=arguments.s3_key,
        s3_secret=arguments.s3_secret,
        iam_roles=frozenset(arguments.iam_role) if arguments.iam_role else None,
        views=arguments.views,
        tls=arguments.tls,
        resync=arguments.resync,
        infidelities=frozenset(arguments.infidelity),
        latency=arguments.latency / 1000,
    )
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as running:
        server = running.enter_context(RedshiftDouble(options, host=arguments.host, port=arguments.port))
        server.faults.arm(*arguments.fault)
        lines = [
            "[CLUSTER]",
            f"HOST={server.host}",
            f"DB_NAME={options.database}",
            f"DB_USER={options.user}",
            f"DB_PASSWORD={options.password}",
            f"DB_PORT={server.port}",
        ]
        if server.certificate:
            lines.append(f"# export SSL_CERT_FILE={server.certificate}")
        if arguments.data_api:
            api = running.enter_context(DataApi(server, latency=options.latency))
            lines.append(f"# export AWS_ENDPOINT_URL_REDSHIFT_DATA={api.endpoint}")
        print("\n".join(lines), flush=True)  # noqa: T201 - this is what it is started for
        shown = 0
        while not ended.wait(0.2):
            shown = _show(server, shown) if arguments.log else 0
        if arguments.log:
            _show(server, shown)


def _show(server: RedshiftDouble, shown: int) -> int:
    """Write the statements that have ended since the last time; returns how many have in all."""
    for entry in list(server.statements)[shown:]:
        if entry.status == "running":
            break
        print(f"{entry.number}: {entry.status} {entry.sql}", file=sys.stderr, flush=True)  # noqa: T201
        shown += 1
    return shown


if __name__ == "__main__":
    main()
