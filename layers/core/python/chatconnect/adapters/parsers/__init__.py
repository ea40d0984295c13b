"""From a file to text: what kind it is, one parser per kind, and the child process that all of them run in."""
