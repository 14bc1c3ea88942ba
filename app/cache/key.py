"""What makes two calls the same."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.call import Call, Route
from app.core.json import canonical
from app.core.wire import Operation
from app.store import store

VERSION = 1  # of what is kept: raised when a new gateway could not give out what an old one has kept

#: What an answer's form depends on, and its content does not.
_FORM = frozenset({"stream", "stream_options"})

#: Their answers are not kept: counting costs nothing.
_NEVER = frozenset({Operation.COUNT_TOKENS})


#: What an answer hangs on that is not in the request and goes on changing: it is with the provider.
_ELSEWHERE = ("conversation", "background")


def may_keep(call: Call) -> bool:
    return call.language.operation not in _NEVER and not any(call.body.get(name) for name in _ELSEWHERE)


def key_of(call: Call, route: Route, generations: Sequence[bytes], *, shared: bool) -> str:
    """For the store: a digest of every field that the client sent, whatever their order, and of what else counts.

    That is the tenant (unless answers are shared), the headers that travel on, the targets that may be asked, and the
    generations: when one is raised, what was kept before is never found again.
    """
    return store.key(
        "answer",
        canonical(
            [
                VERSION,
                call.language.operation,
                None if shared else call.tenant.name,
                route.label,
                [target.name for target in route.targets],
                call.headers,
                {name: value for name, value in call.body.items() if name not in _FORM},
            ]
        ),
        *generations,
    )
