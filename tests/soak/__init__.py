"""Long programs: each prints its figures; `make soak-NAME` runs one, and a short version stands in the tests."""
