"""The pure core: decides. No I/O, no clock, no threads, no logging; imports the standard library and NumPy only."""
