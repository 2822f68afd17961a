"""The demonstration: the real daemon, as a process of its own, with simulated devices and a real broker.

Rules: nothing here reaches into the daemon; it is started with a settings file, watched through its log and through the
broker, and stopped with SIGTERM, as a technician and central operations would.
"""
