"""The real nginx with the reference configuration of deploy/nginx, in front of gateways, for tests.

with nginx([8081, 8082]) as front:
    requests.get(front.url + "/health/live")
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.gunicorn import ROOT, free_port, until
from tests.tools import tool

CONFIGURATION = ROOT / "deploy" / "nginx"


@dataclass(frozen=True)
class Front:
    url: str
    port: int
    log_file: Path
    process: "subprocess.Popen[bytes]"

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")


@contextlib.contextmanager
def nginx(replicas: Sequence[int], replica: str = "server 127.0.0.1:{} max_fails=0;") -> Iterator[Front]:
    """`replicas`: the gateways' ports. What users edit is written here; all else is what they get."""
    program = tool("nginx")
    with tempfile.TemporaryDirectory(prefix="gateway-nginx-") as work:
        port, home = free_port(), Path(work, "nginx")
        shutil.copytree(CONFIGURATION, home)
        (home / "tmp").mkdir()
        (home / "listen.conf").write_text(f"listen 127.0.0.1:{port} default_server;\n")
        (home / "replicas.conf").write_text("".join(replica.format(each) + "\n" for each in replicas))
        log_file = home / "log"
        with log_file.open("wb") as log:
            command = [program, "-p", str(home), "-c", str(home / "nginx.conf"), "-g", "daemon off;"]
            if os.geteuid() == 0:
                command[-1] += " user root;"  # the scratch files are this user's
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        front = Front(f"http://127.0.0.1:{port}", port, log_file, process)
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
