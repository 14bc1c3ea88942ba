"""What gunicorn serves: `gunicorn -c gunicorn.conf.py wsgi:app`."""

from app.worker import start

app = start()
