"""The gevent worker, in a file of its own so that gthread runs without gevent."""

from __future__ import annotations

from typing import Any

from gunicorn.workers import ggevent  # type: ignore[import-untyped]

from app.instance.workers import Page, answer, boot


class GeventWorker(ggevent.GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    def init_process(self) -> None:
        boot(self, super().init_process)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        page = Page()
        super().handle_error(req, page, addr, exc)
        answer(self, page, req, client, exc)
