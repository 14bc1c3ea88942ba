"""The dashboards as a page of HTML: what Grafana would show, drawn from a Prometheus, for whoever has no Grafana.

    report.write(folder, Prometheus(url), span, variables)  ->  str

dashboard.py reads Grafana's JSON, prometheus.py asks, asked.py puts the two together, draw.py draws (the only door to
matplotlib, which is an extra), page.py writes. Whatever panels a file has, they are shown: there is no second list.
"""
