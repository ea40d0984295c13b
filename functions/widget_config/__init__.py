"""Gives widgets their configuration and their chat tokens."""
