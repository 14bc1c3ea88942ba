"""Whether a deployment is well, and what to do where it is not."""
