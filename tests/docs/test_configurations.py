"""Every configuration that a page shows would start."""

from pathlib import Path

import pytest
import yaml

from app.config.load import load
from app.config.settings import Settings
from tests.docs.blocks import Block, blocks
from tests.docs.given import HASH
from tests.docs.pages import pages

KEYS = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY"), "sk-1")
SHOWN = [block for page in pages() for block in blocks(page) if block.language == "yaml"]


def of_ours(block: Block) -> bool:
    found = yaml.safe_load(block.text)
    return isinstance(found, dict) and not found.keys() - Settings.model_fields.keys()


@pytest.mark.parametrize("block", [block for block in SHOWN if of_ours(block)], ids=str)
def test_a_configuration_that_is_shown_would_start(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(block.text.replace("sha256:...", HASH))

    assert load(path, KEYS).providers


def test_what_is_no_configuration_of_ours_is_somebody_else_s() -> None:
    """A misspelt key would make it one."""
    others = [str(block).partition(":")[0] for block in SHOWN if not of_ours(block)]

    assert set(others) == {"monitoring/README.md"}
