"""`llm-gateway report`, from an hour of made-up history in a real Prometheus."""
