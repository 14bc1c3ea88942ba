"""What is not enforced yet is refused, and nothing else is."""

import pytest

from app.config.pending import PENDING
from tests.config.given import BASE, problems

LATER = "not enforced yet in this version"
MODEL = BASE + "  x: {targets: [openai/x], "
PROVIDER = "providers: {simulated: {models: ['*'], "

#: A use of each line of the table. The value is of no importance, nor whether it is what would stand there anyway.
USES = {
    "providers.*.region": PROVIDER + "region: x}}",
    "models.*.context": MODEL + "context: 5}",
    "models.*.max_output": MODEL + "max_output: 5}",
}


STARS = {"providers.*": "providers.simulated", "models.*": "models.x", "tenants.*": "tenants.a", ".*": "[1]"}


@pytest.mark.parametrize("pattern", PENDING)
def test_using_what_is_not_enforced_yet_is_an_error_at_its_path_and_the_only_one(pattern: str) -> None:
    path = pattern
    for star, name in STARS.items():
        path = path.replace(star, name)

    assert problems(USES[pattern]) == {path: LATER}
