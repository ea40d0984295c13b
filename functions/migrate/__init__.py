"""Applies database migrations during a deployment."""
