"""Samples shared with others: signed, create-only, joined as sets; what comes from elsewhere is believed for its signature."""
