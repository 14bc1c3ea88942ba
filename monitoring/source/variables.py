"""The drop-downs of the dashboards. Each narrows those below it."""

from __future__ import annotations

from app.metrics.catalogue import PREFIX
from monitoring.source.panel import Variable

_CALLS = PREFIX + "requests_total"
_PLACE = 'cluster=~"$cluster", job=~"$job"'

#: "All" clusters is `.*`: `.+` would leave out everybody whose Prometheus sets no such label.
CLUSTER = Variable("cluster", "Cluster", f"label_values({_CALLS}, cluster)")
JOB = Variable("job", "Job", f'label_values({_CALLS}{{cluster=~"$cluster"}}, job)', ".+")
INSTANCE = Variable("instance", "Instance", f"label_values({_CALLS}{{{_PLACE}}}, instance)", ".+")
PLACE = (CLUSTER, JOB, INSTANCE)

_PROVIDER = f"label_values({PREFIX}provider_health{{{_PLACE}}}, provider)"
PROVIDER = Variable("provider", "Provider", _PROVIDER)
ONE_PROVIDER = Variable("provider", "Provider", _PROVIDER, None)
MODEL = Variable("model", "Model", f'label_values({_CALLS}{{{_PLACE}, provider=~"$provider"}}, model)')
TENANT = Variable("tenant", "Tenant", f"label_values({PREFIX}tenant_requests_total{{{_PLACE}}}, tenant)")
