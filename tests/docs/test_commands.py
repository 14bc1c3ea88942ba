"""Every command that the pages show is run, in a fresh checkout, as a reader would: from top to bottom."""

import re
import shlex
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.docs.blocks import SHELL, Block, blocks
from tests.docs.given import HASH, PAGES, Given, given
from tests.docs.pages import ROOT, name, pages
from tests.docs.shell import Shell, terminal
from tests.docs.transcript import fits, steps
from tests.gunicorn import until
from tests.tools import tool

#: What a test cannot run: it needs a machine, a cluster or an engine of its own, or real providers.
ELSEWHERE = {"docker", "kubectl", "systemctl", "journalctl", "nginx", "bench"}

#: Ends with 1 where something is bad, as providers are that cannot be reached from here.
DOCTOR = re.compile(r"^(llm-gateway doctor[^#\n]*)", re.MULTILINE)

IGNORED = (ROOT / ".gitignore").read_text().splitlines()  # what the project makes, and does not have

TRIED = [page for page in pages() if any(block.is_run for block in blocks(page))]
LEFT_OUT = [block for page in pages() for block in blocks(page) if block.mark.startswith("not run")]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", TRIED, ids=name)
def test_a_reader_can_do_what_the_page_says(page: Path) -> None:
    tool("curl")
    before = PAGES.get(name(page), Given())
    with (
        tempfile.TemporaryDirectory(prefix="docs-") as folder,
        terminal(Path(folder), before.variables, activated=before.activated) as shell,
        given(before, shell),
    ):
        for block in blocks(page):
            follow(block, shell)


def follow(block: Block, shell: Shell) -> None:
    if block.file:
        (shell.folder / block.file).write_text(shell.here(block.text).replace("sha256:...", HASH))
    elif block.mark == "runs on":
        shell.serve(block.text)
    elif not block.is_run:
        return
    elif block.language == "python":
        status, said = shell.python(block.text)
        assert status == 0, f"{block}:\n{said}"
        assert said.strip(), f"{block} says nothing"
    elif block.language == "console":
        for command, shown in steps(block.text):
            see(command, shown, shell, block)
    else:
        status, said = shell.run(DOCTOR.sub(r"\1 || [ $? = 1 ] ", block.text))
        assert status == 0, f"{block}:\n{said[-4000:]}"


def see(command: str, shown: str, shell: Shell, block: Block) -> None:
    """A machine that is busy may need more than the two seconds in which a change is taken over: ask again."""
    said = ""

    def is_shown() -> bool:
        nonlocal said
        said = shell.run(command)[1]
        return fits(shown, said)

    try:
        until(is_shown, f"output as shown in {block}")
    except AssertionError as error:
        error.add_note(f"$ {command}{said}")
        raise


@pytest.mark.parametrize("block", LEFT_OUT, ids=str)
def test_what_cannot_be_run_has_a_reason_and_names_what_is_there(block: Block) -> None:
    reason = block.mark.removeprefix("not run:").strip()
    words = shlex.split(block.text, comments=True) if block.language in SHELL else []

    assert any((ROOT / path).exists() for path in re.findall(r"tests/[\w/.]+\w", reason)), "what is looked at instead?"
    if block.language in SHELL:
        assert ELSEWHERE & set(words), "what could be run is run"
        subprocess.run(["bash", "-n", "-c", block.text], check=True, timeout=10)
        assert [word for word in words if not exists(word, block)] == []


def exists(word: str, block: Block) -> bool:
    """Whether a word that looks like a file of the project is one."""
    top = word.partition("/")[0]
    near = [folder for folder in (ROOT, block.page.parent) if (folder / top).is_dir()]
    elsewhere = "/" not in word or top in ("", ".", "..") or not near or f"/{word}" in IGNORED
    return elsewhere or any((folder / word).exists() for folder in near)


def test_every_block_of_commands_says_that_it_is_one() -> None:
    """A block without a language would not be tried."""
    unsaid = [str(block) for page in pages() for block in blocks(page) if block.language == ""]

    assert unsaid == []
    assert all(block.language in SHELL for page in pages() for block in blocks(page) if block.mark == "runs on")
