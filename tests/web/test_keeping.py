"""What clients say of kept answers."""

import pytest
from werkzeug.datastructures import Headers

from app.core.call import Keeping
from app.core.errors import GatewayError
from app.web.keeping import keeping_of

SAID = {
    "": Keeping(),
    "no-cache": Keeping(read=False),
    "no-store": Keeping(read=False, write=False),
    "No-Cache, No-Store": Keeping(read=False, write=False),
    "max-age=60": Keeping(max_age=60),
    'max-age="60"': Keeping(max_age=60),
    " max-age = 60 , private": Keeping(max_age=60),
    "max-age=0": Keeping(read=False, max_age=0),
    "max-age=soon": Keeping(),
    "max-age=-1": Keeping(),
    "max-age=1.5": Keeping(),
    "max-age": Keeping(),
    "only-if-cached, whatever=1": Keeping(),
    ",,=,": Keeping(),
}


@pytest.mark.parametrize("text", SAID)
def test_cache_control_is_read_as_http_has_it(text: str) -> None:
    assert keeping_of(Headers([("Cache-Control", text)])) == SAID[text]


def test_nothing_said_is_nothing_asked() -> None:
    assert keeping_of(Headers()) == Keeping()


def test_a_time_of_its_own_bounds_a_calls_answer() -> None:
    assert keeping_of(Headers([("X-Gateway-Cache-Ttl", "60")])) == Keeping(ttl=60)
    assert keeping_of(Headers([("X-Gateway-Cache-Ttl", "0")])) == Keeping(read=False, write=False, ttl=0)


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "1h", " 60", "9" * 20, "٣"])
def test_a_time_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(GatewayError) as caught:
        keeping_of(Headers([("X-Gateway-Cache-Ttl", text)]))
    assert (caught.value.status, caught.value.param) == (400, "x-gateway-cache-ttl")
