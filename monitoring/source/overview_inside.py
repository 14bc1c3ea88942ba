"""The overview's last row: the gateway's own works."""

from __future__ import annotations

from monitoring.source.panel import (
    Kind,
    Panel,
    Row,
    Unit,
)
from monitoring.source.query import (
    HERE,
    Query,
    increase,
    least,
    metric,
    total,
)

INSIDE = Row(
    "Gateway Internals",
    (
        Panel(
            "In-Flight Requests per Worker",
            Kind.SERIES,
            Unit.NUMBER,
            "One worker that stands far above the others is stuck.",
            (Query("{{instance}} {{pid}}", total(metric("worker_in_flight_requests"), "instance", "pid")),),
            8,
        ),
        Panel(
            "Worker Exits",
            Kind.SERIES,
            Unit.NUMBER,
            "graceful: stopped or reloaded; timeout: gunicorn gave it up; failed: it could not begin; killed: out of "
            "memory, or by hand.",
            (
                Query(
                    "{{instance}} {{reason}}",
                    total(increase("worker_exits_total", over="$__rate_interval"), "instance", "reason"),
                ),
            ),
            8,
        ),
        Panel(
            "Configuration",
            Kind.STATES,
            Unit.STATE,
            "Whether the newest configuration is in force. Refused: the file has errors, see the log or /health/ready.",
            (Query("{{instance}}", least(metric("config_last_reload_successful"), "instance")),),
            8,
            states={0: ("Refused", "red"), 1: ("In force", "green")},
        ),
        Panel(
            "Configurations in Force",
            Kind.SERIES,
            Unit.NUMBER,
            "Different configurations that workers run. More than one for longer than a change takes: somebody stays "
            "behind.",
            (Query("configurations", f'count(count_values("hash", {metric("config_hash")}))'),),
            8,
            steps=(("green", None), ("red", 2)),
            lined=True,
        ),
        Panel(
            "Age of the Configuration",
            Kind.SERIES,
            Unit.SECONDS,
            "Since the one in force was published. It falls to 0 with each change.",
            (Query("{{instance}}", f"time() - {metric('config_last_reload_timestamp_seconds')}"),),
            8,
        ),
        Panel(
            "Scrape Duration",
            Kind.SERIES,
            Unit.SECONDS,
            "As Prometheus sees it, and what of it merging the workers' files takes. The line at 2 s is the alert's.",
            (
                Query("{{instance}}", f"scrape_duration_seconds{{{HERE}}}"),
                Query("{{instance}} merge", metric("metrics_collect_seconds")),
            ),
            8,
            steps=(("green", None), ("red", 2)),
            lined=True,
        ),
        Panel(
            "Metric Files",
            Kind.SERIES,
            Unit.NUMBER,
            "Files that workers count in: a few for each that ever ran at the same time, however often they are "
            "renewed.",
            (Query("{{instance}}", metric("metrics_files")),),
            8,
        ),
        Panel(
            "Unreadable Metric Files",
            Kind.SERIES,
            Unit.NUMBER,
            "Files among them that were left out at a scrape since they could not be read. The log names each.",
            (Query("{{instance}}", total(increase("metrics_file_errors_total", over="$__rate_interval"), "instance")),),
            8,
        ),
        Panel(
            "Lost Log Lines",
            Kind.SERIES,
            Unit.NUMBER,
            "Lines of log that nobody could take: a full disk, a pipe that is not read. Calls go on without them.",
            (Query("{{instance}}", total(increase("log_lines_lost_total", over="$__rate_interval"), "instance")),),
            8,
        ),
        Panel(
            "Versions",
            Kind.TABLE,
            Unit.NUMBER,
            "Replicas by what they run.",
            (Query("replicas", f"count by (version, python) ({metric('build_info')})"),),
            24,
        ),
    ),
    collapsed=True,
)
