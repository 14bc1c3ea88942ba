"""How providers are: what free probes find, what calls have found, and what is said of both.

    health = Health(run_dir.breakers, clock)    # in the housekeeper, one an instance
    health.adopt(settings)                      # now, and whenever another configuration comes into force
    health.start()
    health.providers()                          # by name: is it well, its breaker, its quarantine, its probes

verdict.py  decisions       probe.py   one question        prober.py  when whom is asked
health.py   all of it       report.py  for people to read
"""
