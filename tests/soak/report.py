"""What a program found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Report:
    """Figures in the order of telling; a figure that is out of its bounds is a complaint, too."""

    title: str
    figures: dict[str, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def tell(self, name: str, value: object, *, good: bool = True, wanted: str = "") -> None:
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        self.figures[name] = f"{shown}{f'   (wanted: {wanted})' if wanted else ''}"
        if not good:
            self.complaints.append(f"{name}: {shown}, wanted {wanted}")

    def __str__(self) -> str:
        width = max(map(len, self.figures), default=0)
        lines = [self.title, *(f"  {name:{width}}  {value}" for name, value in self.figures.items())]
        return "\n".join([*lines, *(f"  NOT HELD: {one}" for one in self.complaints)])


def share(values: Sequence[float], quantile: float) -> float:
    """The value below which that share of the values lies."""
    if not values:
        return float("nan")
    found = sorted(values)
    return found[min(len(found) - 1, int(quantile * len(found)))]
