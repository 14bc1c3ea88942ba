"""The real nginx with the reference configuration of deploy/nginx, in front of gateways, for tests.

with nginx([8081, 8082]) as front, watching(front):
    requests.get(front.url + "/health/live")
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.gunicorn import ROOT, free_port, until
from tests.tools import tool

CONFIGURATION = ROOT / "deploy" / "nginx"


@dataclass(frozen=True)
class Front:
    url: str
    port: int
    home: Path  # its configuration
    command: tuple[str, ...]  # that started it
    log_file: Path
    process: "subprocess.Popen[bytes]"

    def replicas(self) -> str:
        return (self.home / "replicas.conf").read_text()

    def reload(self) -> None:
        subprocess.run([*self.command, "-s", "reload"], check=True, capture_output=True)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")


@contextlib.contextmanager
def nginx(
    replicas: Sequence[int], replica: str = "server 127.0.0.1:{} max_fails=0;", read_timeout: str | None = None
) -> Iterator[Front]:
    """`replicas`: the gateways' ports. What users edit is written here; all else is what they get.

    `read_timeout`: in place of ten minutes.
    """
    program = tool("nginx")
    with tempfile.TemporaryDirectory(prefix="gateway-nginx-") as work:
        port, home = free_port(), Path(work, "nginx")
        shutil.copytree(CONFIGURATION, home)
        if read_timeout is not None:
            text = (home / "nginx.conf").read_text()
            assert text.count("proxy_read_timeout 610s;") == 1
            (home / "nginx.conf").write_text(text.replace("timeout 610s;", f"timeout {read_timeout};"))
        (home / "listen.conf").write_text(f"listen 127.0.0.1:{port} default_server;\n")
        (home / "replicas.conf").write_text("".join(replica.format(each) + "\n" for each in replicas))
        log_file = home / "log"
        with log_file.open("ab") as log:
            more = "daemon off;" + " user root;" * (os.geteuid() == 0)  # the scratch files are this user's
            command = (program, "-p", str(home), "-c", "nginx.conf", "-g", more)
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        front = Front(f"http://127.0.0.1:{port}", port, home, command, log_file, process)
        try:

            def answers() -> bool:
                assert process.poll() is None, front.log()
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return True

            until(answers, "nginx")
            yield front
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def watching(front: Front, environment: Mapping[str, str] | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """deploy/nginx/watch beside it."""
    tool("curl")
    command = [str(front.home / "watch"), str(front.home / "replicas.conf"), *front.command, "-s", "reload"]
    with front.log_file.open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **(environment or {})}
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)
