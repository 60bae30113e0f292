"""What `create init` and `init` write: file contents from names and findings, no output of its own."""
