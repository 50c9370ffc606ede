"""Explain a failed login: the network, TLS, or the database itself, each with a remedy.

The driver reports all of these in nearly the same words, and a wrong password is only one of the causes.
"""

from __future__ import annotations

import socket
import ssl

from sparkify.errors import Command, EngineError, Hint, TransientEngineError
from sparkify.settings import ClusterSettings
from sparkify.warehouse.redshift.causes import cause, network_error, server_fields

# OpenSSL's error numbers for certificates: X509_V_ERR_…
_OUT_OF_DATE = (9, 10)
_OTHER_NAME = (62, 64)

_ENDPOINT = Hint("the endpoint that {} shows, without port and database", Command("cluster", "status"))
_OPEN = Hint(
    "Let yourself in with {} (open_incoming_port.py): a security group drops what "
    "it does not know. If the cluster is paused: {}. [CLUSTER] TRANSPORT = data-api needs no open port.",
    Command("cluster", "open-port"),
    Command("cluster", "resume"),
)
_LISTENING = Hint(
    "Correct HOST and DB_PORT in dwh.cfg. If the cluster is paused ({} says so): {}.",
    Command("cluster", "status"),
    Command("cluster", "resume"),
)
_UNKNOWN_OR_LOCKED = (
    "Correct DB_USER and DB_PASSWORD in dwh.cfg. If they are right: five wrong passwords in a row lock a "
    "user, and then Redshift refuses the right one in the same words. SHOW USER LOCKOUT lists the locked; "
    "an administrator unlocks one with ALTER USER … LOGIN PASSWORD '…'."
)
_NOT_REDSHIFT = (
    "Correct HOST and DB_PORT in dwh.cfg: something else than Redshift answers there, or a proxy on the way."
)


def not_reached(exc: Exception, host: str, port: int, seconds: float) -> EngineError:
    """Return why no connection to a host was made within ``seconds``."""
    place = f"{host}:{port}"
    if isinstance(exc, socket.gaierror) and exc.errno == socket.EAI_AGAIN:
        return EngineError(
            f"the name {host} cannot be looked up: no name server answers.",
            "Check this machine's network, then run again.",
        )
    if isinstance(exc, (socket.gaierror, UnicodeError)):
        return EngineError(f"there is no host {host}.", Hint("Correct HOST in dwh.cfg: {}.", _ENDPOINT))
    if isinstance(exc, TimeoutError):
        return EngineError(f"{place} did not answer within {seconds:g} s.", _OPEN)
    if isinstance(exc, ConnectionRefusedError):
        return EngineError(f"nothing listens at {place}: the connection was refused.", _LISTENING)
    return EngineError(
        f"{place} cannot be reached: {cause(exc)}.",
        "Check the network and VPN. A cluster without a public endpoint is reached from inside its VPC only, "
        "or by [CLUSTER] TRANSPORT = data-api.",
    )


def not_let_in(exc: Exception, cluster: ClusterSettings, user: str, seconds: float) -> EngineError:
    """Return why the driver's connect failed.

    Args:
        exc: The exception it raised.
        cluster: Host, port and database.
        user: The user.
        seconds: Time limit of each answer.
    """
    fields = server_fields(exc)
    if fields is not None:
        return refused_by_database(fields, cluster, cluster.host, user)
    below = network_error(exc)
    place = f"{cluster.host}:{cluster.db_port}"
    if isinstance(below, ssl.SSLCertVerificationError):
        return _not_trusted(below, place)
    if isinstance(below, ssl.SSLError):
        return EngineError(f"{place} does not speak TLS as Redshift does: {cause(exc)}.", _NOT_REDSHIFT)
    if "refuses SSL" in str(exc):
        return EngineError(f"{place} does not speak TLS as Redshift does: it offers none.", _NOT_REDSHIFT)
    # The driver does not wrap network errors of an established connection.
    if isinstance(exc, UnicodeError) or (below is not None and below is not exc and not _cut(below)):
        return not_reached(below or exc, cluster.host, cluster.db_port, seconds)
    return EngineError(
        f"{place} broke the login off: {cause(exc)}.",
        "Run again in a minute; if it stays so, correct HOST and DB_PORT in dwh.cfg: something else than "
        "Redshift may answer there.",
    )


def is_refused_password(exc: BaseException | None) -> bool:
    """Return whether the database refused user or password, by an error of the driver."""
    fields = server_fields(exc) if exc else None
    return fields is not None and fields.get("C", "").startswith("28")


def _cut(exc: OSError) -> bool:
    return isinstance(exc, ConnectionError) and not isinstance(exc, ConnectionRefusedError)


def _not_trusted(exc: ssl.SSLCertVerificationError, place: str) -> EngineError:
    said = exc.verify_message.rstrip(".")
    if exc.verify_code in _OTHER_NAME:
        return EngineError(
            f"the certificate of {place} is for another name than HOST.",
            Hint("Set HOST in dwh.cfg to {}; an alias or an address of it does not do.", _ENDPOINT),
        )
    if exc.verify_code in _OUT_OF_DATE:
        return EngineError(
            f"the certificate of {place} is not valid now: {said}.",
            "Check this machine's clock. If it is right, tell who runs that server.",
        )
    return EngineError(
        f"the certificate of {place} is not trusted: {said}.",
        "Correct HOST in dwh.cfg if that is not your cluster; if a proxy or an authority of your own signs "
        "there, name its CA bundle: export SSL_CERT_FILE=/path/to/ca.pem.",
    )


def is_refused_login(exc: BaseException) -> bool:
    """Return whether an error of the database is about who logs in, or where."""
    fields = server_fields(exc)
    return fields is not None and fields.get("C", "").startswith(("28", "3D000"))


def refused_by_database(
    fields: dict[str, str], cluster: ClusterSettings, host: str, user: str
) -> EngineError:
    """Return why the database refused a login.

    Args:
        fields: Those of its error.
        cluster: The database.
        host: The cluster, for the message.
        user: The user.
    """
    code, said = fields.get("C", ""), fields.get("M", "").rstrip(".")
    database = f"{cluster.db_name} on {host}"
    if code == "3D000":
        return EngineError(
            f"there is no database {database}.",
            Hint(
                "Correct DB_NAME in dwh.cfg; {} shows the one the cluster was made with.",
                Command("cluster", "status"),
            ),
        )
    if code.startswith("28"):
        return EngineError(
            f"{database} does not let {user} in: {said}.",
            "Create that user in the database, or set DB_USER and DB_PASSWORD in dwh.cfg."
            if user.startswith("IAM")  # AWS issued the password, so it is right
            else _UNKNOWN_OR_LOCKED,
        )
    if code.startswith(("53", "57P")):
        return TransientEngineError(
            f"{database} takes nobody in now: {said}.", "Run again when others have left, or it has started."
        )
    return EngineError(
        f"{database} refused the login: {said}.", Hint("{} tries each setting.", Command("doctor"))
    )
