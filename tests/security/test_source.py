"""What the code may do at all, what it runs on, and how it is started: read from the source and what is installed."""

from __future__ import annotations

import ast
import json
import os
import re
import site
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.version import Version

from app.instance import server
from app.instance.environment import read
from tests.security.house import House
from tests.test_packaging import LOCKS, ROOT, locked

FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "input", "breakpoint"}
FORBIDDEN_MODULES = {
    *(
        "pickle",
        "cPickle",
        "marshal",
        "shelve",
        "dill",
        "jsonpickle",
        "subprocess",
        "pty",
        "commands",
        "code",
        "codeop",
    ),
    *("jinja2", "mako", "xml", "xmlrpc", "ftplib", "telnetlib", "smtplib", "multiprocessing", "webbrowser", "pdb"),
}
FORBIDDEN_OF_OS = re.compile(r"system|popen|startfile|fork\w*|exec\w+|spawn\w+|posix_spawn\w*")
FORBIDDEN_OF_YAML = {"load", "load_all", "unsafe_load", "full_load", "Loader", "UnsafeLoader", "FullLoader", "CLoader"}

#: Processes that are started or become another, each far from any request: what it starts is in the code.
STARTS = {
    "app/instance/housekeeping.py": {"posix_spawn"},  # the housekeeper, by a worker's tick
    "app/cli/serve.py": {"execv"},  # gunicorn, by whoever typed `llm-gateway serve`
}


def sources() -> Iterator[tuple[str, ast.AST]]:
    for path in (*sorted((ROOT / "app").rglob("*.py")), ROOT / "wsgi.py", ROOT / "gunicorn.conf.py"):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def found_in(name: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
        yield f"calls {node.func.id}()"
    if isinstance(node, ast.Import):
        yield from (f"imports {a.name}" for a in node.names if a.name.partition(".")[0] in FORBIDDEN_MODULES)
    if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FORBIDDEN_MODULES:
        yield f"imports {node.module or ''}"
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.value.id == "os" and FORBIDDEN_OF_OS.fullmatch(node.attr) and node.attr not in STARTS.get(name, ()):
            yield f"uses os.{node.attr}"
        if node.value.id == "yaml" and node.attr in FORBIDDEN_OF_YAML:
            yield f"uses yaml.{node.attr}"
    if isinstance(node, ast.keyword) and node.arg in ("shell", "verify") and isinstance(node.value, ast.Constant):
        wrong = node.value.value is (node.arg == "shell")
        yield from (f"says {node.arg}={node.value.value!r}" for _ in range(wrong))


def test_nothing_that_comes_in_can_become_code_a_command_or_an_object() -> None:
    """CVE-2026-42271, CVE-2026-30623, PYSEC-2026-3861, CVE-2026-40217, CVE-2024-4264, CVE-2024-5751."""
    wrong = [
        f"{name}:{getattr(node, 'lineno', 0)} {what}"
        for name, tree in sources()
        for node in ast.walk(tree)
        for what in found_in(name, node)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "code",
    [
        *(
            "eval(x)",
            "exec('x')",
            "import pickle",
            "from subprocess import run",
            "os.system(x)",
            "os.popen(x)",
            "os.fork()",
        ),
        *(
            "yaml.load(x)",
            "yaml.unsafe_load(x)",
            "f(shell=True)",
            "get(verify=False)",
            "import xml.sax",
            "os.posix_spawn(x)",
        ),
    ],
)
def test_what_is_looked_for_is_found(code: str) -> None:
    assert [what for node in ast.walk(ast.parse(code)) for what in found_in("app/x.py", node)]


_LISTEN = """
import importlib, pkgutil, sys
seen = []
LOUD = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request",
        "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "ftplib.connect",
        "http.client.connect", "smtplib.connect", "pty.spawn", "webbrowser.open")
sys.addaudithook(lambda event, given: seen.append(event) if event in LOUD else None)
import app
for module in pkgutil.walk_packages(app.__path__, "app."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
assert "app.worker" in sys.modules and "app.instance.gevent_worker" in sys.modules
print(seen)
"""


def test_importing_all_of_it_asks_nobody_and_starts_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LISTEN], cwd=ROOT, check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


#: Lines of .pth files in site-packages run at every start of Python: the way in of March 2026. Name -> whether it runs
#: code of its own (else it names a directory).
KNOWN_PTH = {
    "__editable__.llm_gateway-*.pth": False,  # this checkout
    "distutils-precedence.pth": True,  # setuptools
    "a1_coverage.pth": True,  # coverage, of the tests
}


def test_no_file_runs_at_every_start_but_those_that_are_known() -> None:
    directories = {Path(each) for each in site.getsitepackages()}
    files = [path for directory in directories for path in directory.glob("*.pth")]
    assert files
    for path in files:
        (known,) = [pattern for pattern in KNOWN_PTH if path.match(pattern)] or [""]
        assert known, f"{path} is not known: what is it for?"
        runs = any(line.startswith(("import ", "import\t")) for line in path.read_text().splitlines())
        assert runs == KNOWN_PTH[known], path
    for name in ("sitecustomize", "usercustomize"):
        assert not [directory for directory in directories if (directory / f"{name}.py").exists()]


#: The first versions without what is known to be wrong with the ones before.
FLOORS = {
    "gunicorn": "27.0.1",  # framing: CVE-2024-1135, CVE-2024-6827, and what later versions closed without a number
    "urllib3": "2.8.0",  # decompression bombs, chunk lines without end
    "requests": "2.33.0",  # CVE-2024-47081 (netrc), CVE-2024-35195, CVE-2026-25645
    "orjson": "3.11",  # CVE-2024-27454: recursion without end
    "werkzeug": "3.1.9",
    "flask": "3.1.3",
    "gevent": "24.10.1",
    "jinja2": "3.1.6",  # comes with Flask; no template is ever rendered
    "pyyaml": "6.0",  # CVE-2020-14343
    "certifi": "2024.7.4",
}


@pytest.mark.parametrize("name", FLOORS)
def test_no_package_is_older_than_its_last_known_hole(name: str) -> None:
    assert Version(locked(LOCKS[0])[name]) >= Version(FLOORS[name])


def test_what_runs_is_few_packages_and_all_of_them_are_meant() -> None:
    """Another one is another one to watch: it needs a reason, and this line."""
    assert len(locked(LOCKS[0])) <= 31


def test_gunicorn_is_started_as_the_checklist_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    server.settings.cache_clear()
    try:
        found = server.settings()
    finally:
        server.settings.cache_clear()
    assert found["control_socket_disable"] is True, "it is on by default, and can stop the service"
    assert not any(found[name] for name in ("forwarded_allow_ips", "forwarder_headers", "secure_scheme_headers"))
    assert (found["http_protocols"], found["http_parser"]) == ("h1", "python")
    assert all(found[f"limit_request_{what}"] for what in ("line", "fields", "field_size"))
    assert not {
        "header_map",
        "permit_obsolete_folding",
        "permit_unconventional_http_method",
        "permit_unconventional_http_version",
        "casefold_http_method",
        "proxy_protocol",
        "raw_env",
        "reload",
        "strip_header_spaces",
        "accesslog",
    } & set(found), "the strict defaults hold"


def test_the_gateway_listens_to_this_machine_unless_told() -> None:
    found = read({"GATEWAY_RUN_DIR": "/x"})
    assert found.binds == ("127.0.0.1:8080",)
    assert found.metrics.is_loopback


def test_no_variable_turns_debugging_on() -> None:
    code = "from tests.security.test_source import built; import json; print(json.dumps(built()))"
    environment = {**os.environ, "FLASK_DEBUG": "1", "FLASK_ENV": "development", "WERKZEUG_DEBUG_PIN": "off"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60
    )
    assert json.loads(done.stdout) == [False, False, False, True]


def built() -> list[bool | None]:
    """Of the application as the worker makes it, in this environment."""
    from app.factory import create_app  # noqa: PLC0415 - in a process of its own
    from app.web.current import Current  # noqa: PLC0415
    from app.web.ops import Instance  # noqa: PLC0415

    app = create_app(Current(None), Instance(lambda path, headers: (200, {}, b""), lambda: None))  # type: ignore[arg-type]
    return [app.debug, app.testing, bool(app.config["PROPAGATE_EXCEPTIONS"]), app.secret_key is None]


def test_an_error_of_ours_tells_nothing_of_the_house(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("canary at /srv/secret.py with sk-canary")

    monkeypatch.setattr("app.pipeline.answer", broken)
    answer = house.ask()
    assert (answer.status, answer.error["code"]) == (500, "internal")
    assert not [word for word in (b"canary", b"Traceback", b"RuntimeError", b".py", b"<") if word in answer.body]
