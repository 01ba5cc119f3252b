"""A real S3 server for the tests: SeaweedFS from a plain package. It refuses links that were changed."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import obstore
from obstore.store import S3Store

from chatkit_asgi.store.attachments.s3 import presign

BUCKET = "tests"
KEY, SECRET = "AKIATESTKEY000000000", "secretsecretsecretsecretsecretsecret0000"
WEED = Path(sys.executable).with_name("weed")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def seaweed(directory: Path) -> Iterator[str]:
    """Its address, once it answers. Its gRPC ports are named, or it takes the HTTP ports plus 10,000."""
    names = ("s3.port", "master.port", "volume.port", "filer.port")
    ports = dict(zip([*names, *(f"{name}.grpc" for name in names)], free_ports(8), strict=True))
    who = {"name": "t", "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
           "actions": ["Admin", "Read", "List", "Tagging", "Write"]}  # fmt: skip
    config = directory / "s3.json"
    config.write_text(json.dumps({"identities": [who]}))
    log = (directory / "log").open("wb")
    command = [
        str(WEED), "server", f"-dir={directory}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3",
        f"-s3.config={config}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.peers=none",
        "-master.telemetry=false", "-volume.max=20", *(f"-{name}={port}" for name, port in ports.items()),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    endpoint = f"http://127.0.0.1:{ports['s3.port']}"
    try:
        _until_it_stores(endpoint, process, directory / "log")
        yield endpoint
    finally:
        process.kill()  # it takes more than 15 s to end by itself
        process.wait()
        log.close()


def _until_it_stores(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 45
    while True:
        try:
            store = make_bucket(endpoint)
            obstore.put(store, "ready", b"yes")
            obstore.delete(store, "ready")
            return
        except Exception as error:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(
                    f"SeaweedFS did not start: {error}\n{log.read_text()[-2000:]}"
                ) from error
            time.sleep(0.2)


def make_bucket(endpoint: str) -> Any:
    """The bucket of all tests, each of which has a prefix of its own: SeaweedFS makes seven volumes for a bucket."""
    url = presign(
        "PUT",
        f"{endpoint}/{BUCKET}",
        access_key=KEY,
        secret_key=SECRET,
        region="us-east-1",
        expires=60,
    )
    httpx.put(url)
    return S3Store(
        BUCKET,
        endpoint=endpoint,
        access_key_id=KEY,
        secret_access_key=SECRET,
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )


def names(store: Any) -> list[str]:
    """Every key below a store's prefix."""
    return sorted(each["path"] for page in obstore.list(store) for each in page)
