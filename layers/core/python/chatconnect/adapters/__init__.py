"""The mechanisms behind the ports: one module or package per mechanism."""
