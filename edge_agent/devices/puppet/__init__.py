"""The puppet: a camera in front of which a portrait lives. It walks up, watches the LEDs, answers them and walks away.

`camera.PuppetCamera` is the driver; `script.load_script` reads what happens in front of it. One step of a frame each:
`visits` (who is there) -> `behaviour` (what they do) -> `motion` (how a body does it) -> `person` or `flat` (how that
looks, from `face`, `head_shape`, `eyelids`) -> `sensor` (how a camera records it).

Rules: every random number comes from the seed, every instant from the clock given, so that a day can be replayed and
a test needs no sleep. A head turns to the person's own left by a positive angle; that is to the right of the picture.
"""
