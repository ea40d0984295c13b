"""Keeps WebSocket connections."""
