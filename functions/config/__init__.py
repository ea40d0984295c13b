"""Serves staff, and what visitors read beside the chat."""
