"""`python -m tests.monitoring alerts | panels [REPORT.html]`: see the package."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.monitoring import live, promtool
from tests.monitoring.cases import FIFTEEN
from tests.monitoring.cases_gateway import OWN
from tests.monitoring.dashboards import targets


def main(arguments: list[str]) -> None:
    match arguments:
        case ["alerts"]:
            alerts()
        case ["panels", *report]:
            panels(Path(report[0]) if report else None)
        case _:
            sys.exit(__doc__)


def alerts() -> None:
    for name in promtool.rules():
        print(name)
        for case in (*FIFTEEN, *OWN):
            if case.alert == name:
                print(f"  {'fires ' if case.fires else 'silent'}  {case.says}")
        caused = {**live.FIFTEEN, **live.OWN}.get(name)
        print(f"  live    {'fires and ends, in ' + caused[1] if caused else 'not caused: ' + live.NOT_CAUSED[name]}")


def panels(report: Path | None) -> None:
    with tempfile.TemporaryDirectory() as directory:
        seen = live.run(Path(directory), report)
    print(f"{'samples':>8} {'series':>6} {'moved':>5}  panel")
    for target in targets():
        found = seen.values.get(target, [])
        print(f"{live.samples(found):>8} {len(found):>6} {'yes' if live.moved(found) else 'NO':>5}  {target}")
    print("\nalerts: seconds from the faults to the first firing, and to the end")
    for name, alert in {**live.FIFTEEN, **live.OWN}.items():
        fired, calmed = seen.fired.get(alert), seen.calmed.get(alert)
        print(f"{_seconds(fired):>8} {_seconds(calmed):>8}  {name} {alert[1]} {alert[2]}")
    print("fired while nothing was wrong:", sorted(seen.calm) or "nothing")
    print("fired beyond what was meant:", sorted(set(seen.fired) - {*live.FIFTEEN.values(), *live.OWN.values()}))
    print("held back:", sorted(seen.inhibited))
    print("not held back though they should be:", sorted(live.INHIBITED - seen.inhibited) or "none")
    print(
        "rules that are not well:",
        [r["name"] for r in seen.rules if r["health"] != "ok"] or "none",
        "of",
        len(seen.rules),
    )


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.0f}"


if __name__ == "__main__":
    main(sys.argv[1:])
