"""The rules of the stage `spec`, one family in each file, and the catalogue of their severities."""
