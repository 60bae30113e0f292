"""Digests: of bytes, of a package tree and its facets, of what a row depends on."""
