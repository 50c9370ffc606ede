"""The stand-in itself: PostgreSQL behind, a listening socket in front, one thread per client.

Owns start and stop and what its sessions share: options, users, faults, the statement log.
"""

from __future__ import annotations

import itertools
import re
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from .certificate import Tls, make_certificate
from .faults import Faults
from .loadlog import LoadLog
from .options import Options
from .postgres import Postgres
from .session import Session
from .statements import StatementLog

# Redshift's max_failed_login_attempts, by default: after so many in a row not even the right password does.
FAILED_LOGINS = 5


class RedshiftDouble:
    """A cluster that is none. Use it as a context manager, or call `start` and `stop`.

    Attributes:
        options: What kind of cluster this is; `configure` changes them while it runs.
        passwords: Who may log in; add `IAM:name` for the temporary credentials of GetClusterCredentials,
            which are those of the user of that name.
        identities: The same for GetCredentials (Serverless), whose users `IAM:name` and `IAMR:role` are users
            of the database by themselves: made at their first login, with no rights but those of PUBLIC.
        failed_logins: Refused logins of each user since the last that was let in.
        faults: What shall go wrong.
        statements: What clients have sent.
    """

    def __init__(self, options: Options | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.options = options or Options()
        self.passwords = {self.options.user: self.options.password}
        self.identities: dict[str, str] = {}
        self.failed_logins: dict[str, int] = {}
        self.faults = Faults()
        self.statements = StatementLog()
        self.host, self.port = host, port
        self.tls: Tls | None = None
        self.postgres: Postgres
        self._listener: socket.socket
        self._sessions: set[Session] = set()
        self._lock = threading.Lock()
        self._query_ids = itertools.count(1001)
        self._user_ids: dict[str, int] = {}
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start PostgreSQL, make the first database, listen."""
        self.postgres = Postgres()
        self.create_database(self.options.database)
        if self.options.tls:
            self.tls = make_certificate(self.postgres.folder)
        self._listener = socket.create_server((self.host, self.port))
        self.port = self._listener.getsockname()[1]
        thread = threading.Thread(target=self._accept, name="redshift-double", daemon=True)
        thread.start()
        self._threads = [thread]

    def stop(self) -> None:
        """Cut every client off and remove everything."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()
        for thread in self._threads:
            thread.join(timeout=5)
        self.postgres.stop()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._begin(Session(self, client))

    def join(self) -> tuple[socket.socket, Session]:
        """Return the client's end of a session that no network lies before."""
        ours, theirs = socket.socketpair()
        session = Session(self, ours, latency=False)
        self._begin(session)
        return theirs, session

    def _begin(self, session: Session) -> None:
        with self._lock:
            self._sessions.add(session)
        threading.Thread(target=self._serve, args=(session,), daemon=True).start()

    def _serve(self, session: Session) -> None:
        try:
            session.run()
        finally:
            with self._lock:
                self._sessions.discard(session)

    def cancel(self, key: bytes) -> None:
        """End the statement of the session that has this key; nobody's, for a wrong one."""
        with self._lock:
            found = [each for each in self._sessions if each.key == key]
        for session in found:
            session.cancel()

    # what tests use

    def configure(self, **changes: Any) -> None:
        """Change options while it runs: `views`, `iam_roles`, `bucket_regions`, `resync`, `isolation`,
        `latency`, the S3 ones, `infidelities`; sessions that are open keep their isolation."""
        self.options = replace(self.options, **changes)

    def create_database(self, name: str) -> None:
        """Make a database; a copy of a template, so it takes some 30 ms."""
        self.postgres.create_database(name)

    def distort(self, name: str) -> None:
        """Have a new database be another than it should be, in what the options say."""
        self.postgres.distort(name, self.options.infidelities)

    def reset_database(self, name: str | None = None) -> None:
        """Empty a database and its load logs, and cut off its clients."""
        self.postgres.reset_database(name or self.options.database)

    def connection_arguments(self, database: str | None = None) -> dict[str, Any]:
        """What `redshift_connector.connect` needs."""
        return {
            "host": self.host,
            "port": self.port,
            "database": database or self.options.database,
            "user": self.options.user,
            "password": self.options.password,
            "ssl": self.tls is not None,
        }

    # what sessions use

    @property
    def backend_options(self) -> dict[str, str]:
        snapshot = self.options.isolation == "snapshot"
        return {
            "default_transaction_isolation": "repeatable read" if snapshot else "serializable",
            "standard_conforming_strings": "off",  # a backslash escapes
            "escape_string_warning": "off",
            "TimeZone": "UTC",
            "DateStyle": "ISO, MDY",
            "client_min_messages": "warning",
            # Nobody analyses tables here, and on a guess of one row PostgreSQL would compare each with each,
            # where Redshift joins by hashes: a month of 20,000 events took minutes.
            "enable_nestloop": "off",
            "redshift.slices": str(self.options.slices),
        }

    def next_query_id(self) -> int:
        return next(self._query_ids)

    def password_of(self, user: str) -> str | None:
        """Return the password a user has to give; None: there is no such user."""
        return self.identities.get(user) or self.passwords.get(user)

    def admits(self, user: str, *, right: bool) -> bool:
        """Count a login, and tell whether it is let in: not after too many wrong passwords."""
        with self._lock:
            failed = self.failed_logins.get(user, 0)
            locked = failed >= FAILED_LOGINS and not user.startswith("IAM")
            self.failed_logins[user] = 0 if right and not locked else failed + 1
            return right and not locked

    def role_of(self, user: str) -> str:
        """Return the user of the database that a login is, without the mark of GetClusterCredentials."""
        return user if user in self.identities else re.sub(r"^IAMA?:", "", user)

    def user_id(self, user: str) -> int:
        """Make the user known to PostgreSQL at the first login; the administrator is superuser."""
        role = self.role_of(user)
        with self._lock:
            if role not in self._user_ids:
                self._user_ids[role] = self.postgres.create_user(role, superuser=role == self.options.user)
            return self._user_ids[role]

    def load_log(self, database: str) -> LoadLog:
        return LoadLog(self.postgres.log_folder(database))

    @property
    def certificate(self) -> Path | None:
        """The file a client must trust when TLS is on."""
        return self.tls.certificate if self.tls else None
