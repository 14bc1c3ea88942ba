"""Programs that talk to the gateway with one SDK each, run in the environment that has it.

Run as `python -m tests.journeys.clients.NAME` with jobs as JSON on standard input; what the SDK made of the answers
goes to standard output. They import nothing but their SDK and `told`.
"""
