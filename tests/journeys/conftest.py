"""One provider and one gateway of each worker class, which all journeys share that change nothing about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.gunicorn import CLASSES, Server
from tests.journeys import programs
from tests.journeys.house import COUNTED, RESPONSES, TELLING, both, configuration, natives
from tests.standin import StandIn


@pytest.fixture(scope="package")
def provider() -> Iterator[StandIn]:
    with StandIn() as provider:
        yield provider


@pytest.fixture(scope="package")
def servers(provider: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Server]]:
    others = [
        *programs.own_providers(),
        *TELLING,
        *COUNTED,
        *RESPONSES,
        *natives(tmp_path_factory.mktemp("keys"), provider),
    ]
    with both(configuration(provider, others=others)) as servers:
        yield servers


@pytest.fixture(params=CLASSES)
def server(request: pytest.FixtureRequest, servers: Mapping[str, Server]) -> Server:
    return servers[request.param]
