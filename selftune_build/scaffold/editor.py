"""What an editor is told about a manifest: the line by which YAML language servers find its schema."""

from __future__ import annotations

SCHEMA_URL = "https://json.schemastore.org/selftune.json"
"""Where editors look the manifest's schema up; docs/editor.md has the entry."""

EDITOR_LINE = f"# yaml-language-server: $schema={SCHEMA_URL}\n"
"""First line of every manifest that we write."""
