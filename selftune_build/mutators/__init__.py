"""What proposes edits of a package; `improve` is to try them, and nothing here does so yet."""
