"""Writes docs/failures.md."""

from __future__ import annotations

from tests.faults.page import PAGE, page


def main() -> None:
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
