"""Other gateways, installed on request into .bench/ and given the same provider."""

import json
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

from bench.servers import KEY, MODEL, WORK, Server, free_port


def litellm(place: Path, upstream: int, workers: int) -> Server:
    """LiteLLM's proxy, with a master key, no database and no logging callbacks."""
    home = WORK / "litellm"
    if not (home / "bin" / "litellm").exists():
        print("installing LiteLLM from PyPI")
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", "-q", "litellm[proxy]"], check=True)
    config = place / "litellm.yaml"
    config.write_text(
        f"""
model_list:
  - model_name: {MODEL}
    litellm_params: {{model: openai/{MODEL}, api_base: "http://127.0.0.1:{upstream}/v1", api_key: sk-upstream}}
general_settings: {{master_key: {KEY}}}
"""
    )
    port = free_port()
    address = ["--host", "127.0.0.1", "--port", str(port)]
    return Server(
        f"LiteLLM {installed('litellm', home)}",
        place,
        [str(home / "bin" / "litellm"), "--config", str(config), "--num_workers", str(workers), *address],
        port,
        {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"},
    )


def portkey(place: Path, upstream: int, workers: int) -> Server:
    """Portkey's gateway, which is one process whatever the number of workers."""
    del workers
    home = WORK / "portkey"
    package = home / "node_modules" / "@portkey-ai" / "gateway"
    if not package.exists():
        npm = shutil.which("npm") or sys.exit("npm is needed to install Portkey's gateway")
        print("installing Portkey's gateway from npm")
        home.mkdir(exist_ok=True)
        # Newer servers within its range answer its streams with 500, "TypeError: immutable" (Node 20).
        wanted = {"dependencies": {"@portkey-ai/gateway": "^1.15.2"}, "overrides": {"@hono/node-server": "1.13.8"}}
        (home / "package.json").write_text(json.dumps(wanted))
        subprocess.run([npm, "install", "--silent", "--ignore-scripts", "--prefix", home], check=True)
    version = json.loads((package / "package.json").read_text())["version"]
    port = free_port()
    return Server(
        f"Portkey {version}",
        place,
        ["node", str(package / "build" / "start-server.js"), f"--port={port}", "--headless"],
        port,
        {"NODE_ENV": "production"},
        {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/v1"},
    )


def installed(name: str, home: Path) -> str:
    """The version of a distribution in another virtual environment."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = distributions(name=name, path=[f"{home}/lib/{version}/site-packages"])
    return next((distribution.version for distribution in found), "")
