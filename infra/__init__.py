"""The CDK app: one set of stacks per environment."""
