"""`edge-agent bench vision|match|session`: the terminal's speed on this machine, beside others in the same run.

Rules: what is compared takes turns, so that whatever else the machine does hits all alike; every figure is a median
with its 99th percentile and how many it is of; nothing here is needed to serve people. docs/benchmarks.md has results.
"""
