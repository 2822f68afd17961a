"""The aid terminal: sees a person, makes sure they live, finds out who, gives what is theirs, prints, reports."""

__version__ = "0.1.0"
