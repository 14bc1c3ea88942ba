"""A gateway in this process and the provider behind it, for a whole file of tests."""

from collections.abc import Iterator

import pytest

from tests.security.house import House, configuration, of_every_kind
from tests.standin import StandIn


@pytest.fixture(scope="module")
def provider() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture(scope="module")
def house(provider: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(configuration(provider.url), tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def natives(provider: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(of_every_kind(provider.url), tmp_path_factory.mktemp("natives")) as house:
        yield house
