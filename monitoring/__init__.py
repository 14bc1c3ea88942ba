"""Dashboards, alerts and rules for Prometheus, Alertmanager and Grafana. What is made of what: monitoring/source."""
