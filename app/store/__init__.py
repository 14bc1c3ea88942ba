"""What workers and replicas share, and the only door to memcached. Every method answers; none raises."""
