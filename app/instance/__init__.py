"""What one running instance is: run directory and locks, published configuration, the tick of each worker."""
