"""Attack clips for testing: what somebody may hold before the camera instead of a living face, rendered from a picture.

They are test material and shipped, so that anybody can make more of them, of their own faces and prints.
"""
