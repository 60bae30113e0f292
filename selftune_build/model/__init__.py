"""Frozen data that every layer shares; no input, no output, nothing imported but msgspec and the standard library."""
