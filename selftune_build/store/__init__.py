"""The store: where paid results live, durable before anything reads them (DESIGN section 9)."""
