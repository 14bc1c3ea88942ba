"""`python -m monitoring.source`: write every generated file anew, and say which have changed."""

from __future__ import annotations

from monitoring.source.files import MONITORING, generated


def main() -> None:
    for name, make in generated().items():
        path = MONITORING / name
        text = make()
        if not path.is_file() or path.read_text() != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            print(f"monitoring/{name}")


if __name__ == "__main__":
    main()
