"""Turns uploaded files into knowledge."""
