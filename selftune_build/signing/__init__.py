"""Signatures over what selftune states: DSSE envelopes and the keys that sign and check them."""
