"""The tests, and the peers that they play the gateway against."""
