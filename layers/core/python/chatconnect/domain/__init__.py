"""The rules of the business: entities, value objects, policies and errors. Standard library only."""
