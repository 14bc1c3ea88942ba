"""The commands of llm-gateway."""
