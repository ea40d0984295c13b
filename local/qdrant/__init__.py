"""Qdrant's own engine behind the part of Qdrant's REST API that ChatConnect uses."""
