"""What one running instance is: gunicorn's master, its workers and the housekeeper, around one run directory.

The application asks for it once in each worker, as app/worker.py does:

    here = member.attach()
    settings, hash = here.configuration()     # in force; at a cold start checked and published first
    metrics = Metrics(here.slot.make_room)    # counts in the files of this worker's slot
    here.watch(swap)                          # swap(settings, hash), whenever another one comes into force
    here.relay(path, headers)                 # what the housekeeper answers
    here.trouble()                            # what is wrong with the newest configuration
    here.draining()                           # whether all of it was told to stop
    here.homeless()                           # whether its run directory is gone

environment.py  what only a restart changes        rundir.py         the directory, its files and its locks
server.py       the settings of gunicorn           published.py      the configuration in force
hooks.py        what gunicorn calls                configuration.py  when one may come into force
workers.py      the worker classes                 member.py         a worker's place in all this
refusals.py     gunicorn's own error pages         tick.py           what a worker does once a second
failing.py      workers that cannot boot           housekeeping.py   that there is one housekeeper
crowd.py        no files for another call          sink.py           a log that never waits
system.py       what gevent stands in front of     private.py        asking it
heads.py        an answer's head and body
"""
