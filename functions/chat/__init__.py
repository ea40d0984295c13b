"""Answers visitors and servers, streaming."""
