"""A workspace as a patch makes it: read, measured and compared like any other, while the tree stays as it is."""
