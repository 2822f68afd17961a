"""Frames -> face observations. No image and no landmark ever leaves this package."""
