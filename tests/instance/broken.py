"""An application that cannot be loaded."""

raise RuntimeError("the application is broken")
