"""The LLM Inference Gateway."""
