"""How gunicorn runs the gateway: `gunicorn -c gunicorn.conf.py wsgi:app`.

Only the environment decides (app/instance/environment.py), and only at the start: a reload sees the same settings.
"""

import os

if os.environ.get("GATEWAY_WORKER_CLASS", "gevent") == "gevent":
    from gevent import monkey

    monkey.patch_all()  # before anything else is imported

# The modules, not the application: a worker is there in a tenth of the time, much of its memory is the master's, and
# one that comes after a deployment has begun does not mix old code and new.
import app.worker  # noqa: F401
from app.instance import hooks, server, sink

sink.install()  # before gunicorn's own log, which keeps what sys.stderr is then
globals().update(server.settings())

on_starting = hooks.on_starting
when_ready = hooks.when_ready
pre_fork = hooks.pre_fork
pre_exec = hooks.pre_exec
child_exit = hooks.child_exit
post_fork = hooks.post_fork
post_worker_init = hooks.post_worker_init
worker_abort = hooks.worker_abort
worker_exit = hooks.worker_exit
