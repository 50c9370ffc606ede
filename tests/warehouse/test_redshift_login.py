"""Why a login failed is told apart, each with its next step; every case is provoked, none is made up."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace

import pytest

from sparkify.errors import EngineError, TransientEngineError
from sparkify.settings import ClusterSettings, load_settings
from sparkify.warehouse.redshift.driver import let_go
from sparkify.warehouse.redshift.driver_transport import DriverTransport
from sparkify.warehouse.redshift.login import log_in
from sparkify.warehouse.redshift.session import RedshiftSession
from tools.redshift_double import Options, RedshiftDouble

# See _collect_sockets.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

USER, PASSWORD = Options().user, Options().password
NOWHERE = load_settings(None, {}, {"CLUSTER.HOST": "localhost", "CLUSTER.DB_NAME": "dev"}).cluster
Peer = Callable[[socket.socket], None]


@pytest.fixture(autouse=True)
def _collect_sockets() -> Iterator[None]:
    """The driver leaves its socket to the collector where it fails in the middle of a login."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def server() -> Iterator[RedshiftDouble]:
    with RedshiftDouble(Options(tls=True)) as server:
        yield server


@pytest.fixture
def cluster(server: RedshiftDouble, monkeypatch: pytest.MonkeyPatch) -> ClusterSettings:
    """The way to a database whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    return replace(NOWHERE, db_port=server.port, db_name=server.options.database)


@pytest.fixture
def listen() -> Iterator[Callable[[Peer], ClusterSettings]]:
    """Give a port where something answers each caller; what it leaves open is closed at the end."""
    with ExitStack() as opened:

        def start(peer: Peer) -> ClusterSettings:
            listener = opened.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve() -> None:
                with suppress(OSError):
                    client, _ = listener.accept()
                    opened.callback(client.close)
                    peer(client)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            opened.callback(thread.join, 5)
            return replace(NOWHERE, db_port=listener.getsockname()[1])

        yield start


def turned_away(cluster: ClusterSettings, user: str = USER, password: str = PASSWORD) -> tuple[str, str]:
    """Return the sentence and the next step of a login that fails."""
    with pytest.raises(EngineError) as caught:
        log_in(cluster, user, password, timeout=1)
    assert PASSWORD not in f"{caught.value.message} {caught.value.hint}"
    assert "('" not in caught.value.message, "the driver's tuple"
    return caught.value.message, caught.value.hint


def test_who_is_trusted_and_known_gets_in(cluster: ClusterSettings):
    let_go(log_in(cluster, USER, PASSWORD))


def test_a_port_where_nothing_listens():
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        message, hint = turned_away(replace(NOWHERE, db_port=port))
    assert message == f"nothing listens at localhost:{port}: the connection was refused."
    assert "HOST and DB_PORT" in hint
    assert "`sparkify cluster resume`" in hint


def test_a_port_that_does_not_answer(listen: Callable[[Peer], ClusterSettings]):
    """A security group that lets nobody in drops packets without a word."""
    cluster = listen(lambda _: None)
    message, hint = turned_away(cluster)
    assert message == f"localhost:{cluster.db_port} did not answer within 1 s."
    assert "`sparkify cluster open-port` (open_incoming_port.py)" in hint
    assert "`sparkify cluster resume`" in hint


@pytest.mark.parametrize(
    "host", ["nowhere.invalid", "dwh..example", f"{'x' * 64}.example", "localhost:5439/dev"]
)
def test_a_host_that_does_not_exist(host: str):
    message, hint = turned_away(replace(NOWHERE, host=host))
    assert message in (
        f"there is no host {host}.",
        f"the name {host} cannot be looked up: no name server answers.",  # without any network
    )
    assert "HOST" in hint or "network" in hint


def test_a_network_that_leads_nowhere():
    message, hint = turned_away(replace(NOWHERE, host="255.255.255.255"))
    assert message.startswith("255.255.255.255:5439 cannot be reached: ")
    assert "VPC" in hint


def http(client: socket.socket) -> None:
    client.recv(8)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    client.close()


def closes(client: socket.socket) -> None:
    client.close()


def no_tls_after_all(client: socket.socket) -> None:
    client.recv(8)
    client.sendall(b"S" + b"not TLS " * 8)
    client.close()


def a_database_without_tls(client: socket.socket) -> None:
    client.recv(8)
    client.sendall(b"N")


@pytest.mark.parametrize("peer", [http, closes, no_tls_after_all, a_database_without_tls])
def test_a_port_that_speaks_something_else(listen: Callable[[Peer], ClusterSettings], peer: Peer):
    message, hint = turned_away(listen(peer))
    assert " does not speak TLS as Redshift does: " in message
    assert hint.startswith("Correct HOST and DB_PORT in dwh.cfg")


@pytest.mark.parametrize(
    ("says", "why"), [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "broke off"), (b"", "closed")]
)
def test_a_server_with_our_certificate_that_is_no_database(
    server: RedshiftDouble,
    cluster: ClusterSettings,
    listen: Callable[[Peer], ClusterSettings],
    says: bytes,
    why: str,
):
    def peer(client: socket.socket) -> None:
        assert server.tls
        client.recv(8)
        client.sendall(b"S")
        with server.tls.context.wrap_socket(client, server_side=True) as stream:
            stream.recv(1000)
            stream.sendall(says)

    port = listen(peer).db_port
    message, hint = turned_away(replace(cluster, db_port=port))
    assert message.startswith(f"localhost:{port} broke the login off: ")
    assert why in message
    assert "time-out" not in message.lower()
    assert "timeout" not in message.lower()
    assert "HOST and DB_PORT" in hint


def test_a_certificate_nobody_vouches_for(cluster: ClusterSettings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    message, hint = turned_away(cluster)
    assert message == (
        f"the certificate of localhost:{cluster.db_port} is not trusted: self-signed certificate."
    )
    assert "SSL_CERT_FILE" in hint


def test_a_certificate_of_another_name(cluster: ClusterSettings):
    message, hint = turned_away(replace(cluster, host="127.1"))  # 127.0.0.1, written otherwise
    assert message == f"the certificate of 127.1:{cluster.db_port} is for another name than HOST."
    assert "Set HOST in dwh.cfg to the endpoint" in hint


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", PASSWORD), (USER, "")])
def test_a_wrong_user_or_password(cluster: ClusterSettings, user: str, password: str):
    message, hint = turned_away(cluster, user, password)
    assert message == (
        f"{cluster.db_name} on localhost does not let {user} in: "
        f'password authentication failed for user "{user}".'
    )
    assert hint.startswith("Correct DB_USER and DB_PASSWORD in dwh.cfg. ")
    assert "five wrong passwords" in hint


@pytest.fixture
def logins(server: RedshiftDouble, cluster: ClusterSettings) -> Iterator[list[str]]:
    """The passwords that the session is to give, one after the other; the last stays."""
    server.failed_logins.clear()
    yield []
    server.passwords[USER] = PASSWORD
    server.failed_logins.clear()


def reconnecting(cluster: ClusterSettings, passwords: list[str]) -> RedshiftSession:
    def credentials() -> tuple[str, str]:
        return USER, passwords.pop(0) if len(passwords) > 1 else passwords[0]

    return RedshiftSession(DriverTransport(cluster, credentials))


def test_a_password_changed_in_the_middle_of_a_run_is_not_tried_again(
    server: RedshiftDouble, cluster: ClusterSettings, logins: list[str]
):
    """Five wrong ones lock the user; a run that reconnects would send as many."""
    logins.append(PASSWORD)
    session = reconnecting(cluster, logins)
    session.open()
    session.drop()
    server.passwords[USER] = "Changed1"
    with pytest.raises(EngineError) as caught:
        session.open()
    assert not isinstance(caught.value, TransientEngineError), "it would be tried again, five times"
    assert server.failed_logins[USER] == 1


def test_a_password_that_aws_has_just_rotated_is_asked_for_once_more(
    server: RedshiftDouble, cluster: ClusterSettings, logins: list[str]
):
    logins += [PASSWORD, PASSWORD, "Rotated1"]
    session = reconnecting(cluster, logins)
    session.open()
    session.drop()
    server.passwords[USER] = "Rotated1"
    assert session.open() == USER
    session.close()
    logins[:] = ["old", "older", "oldest", "none"]
    with pytest.raises(EngineError):
        reconnecting(cluster, logins).open()
    assert server.failed_logins[USER] == 2


def test_a_user_aws_knows_and_the_database_does_not(cluster: ClusterSettings):
    """Temporary passwords come from AWS: there is none to correct."""
    _, hint = turned_away(cluster, "IAM:nobody")
    assert hint == "Create that user in the database, or set DB_USER and DB_PASSWORD in dwh.cfg."


def test_a_database_that_does_not_exist(cluster: ClusterSettings):
    message, hint = turned_away(replace(cluster, db_name="nope"))
    assert message == "there is no database nope on localhost."
    assert "DB_NAME" in hint
