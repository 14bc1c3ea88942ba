"""Whether a target is asked at all, and whether it is asked again. The only room that imports circuitbreaker."""
