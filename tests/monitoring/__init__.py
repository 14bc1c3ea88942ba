"""The dashboards, alerts and rules of monitoring/, proven: by cases for promtool, and by a real Prometheus.

`python -m tests.monitoring alerts` lists each alert with the cases that make it fire and that keep it silent;
`python -m tests.monitoring panels` runs the gateway, Prometheus and Alertmanager, and prints what each panel got;
with the name of a file, it draws them there, too.
"""
