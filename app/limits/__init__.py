"""How much tenants may ask: calls and tokens in any minute, and calls at a time, over all workers and replicas."""
