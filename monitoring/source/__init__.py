"""What the generated files of this directory are made of: `python -m monitoring.source` writes them anew.

overview.py, providers.py and tenants.py are the tables of panels, query.py and panel.py their words; grafana.py lays a
table out as a dashboard's JSON, slo.py writes the rules of the objectives, kubernetes.py wraps the files for a cluster,
readme.py has the table of metrics. The alerts, runbooks and configurations are written by hand.
"""
