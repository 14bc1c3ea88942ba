"""The gateway, on a machine that has less memory than a worker takes."""

from app.instance import memory

memory.available = lambda: 1024 * 1024
memory.LOOKS = 2

from wsgi import app  # noqa: E402, F401 - it is built from what stands above
