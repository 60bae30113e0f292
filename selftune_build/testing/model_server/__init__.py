"""A scripted model on loopback, for testing real agent programs without credentials, money or chance.

```python
from selftune_build.testing.model_server import ModelServer, Say

with ModelServer(lambda conversation: Say("hello")) as server:
    ...  # point the program at server.url; then look at server.requests
```
"""

from __future__ import annotations

from selftune_build.testing.model_server.answer import Answer, Call, Cut, Hang, Late, Refuse, Rule, Say, Script, rules
from selftune_build.testing.model_server.conversation import Called, Conversation, Result, Text, Tool
from selftune_build.testing.model_server.server import ModelServer, Request
from selftune_build.testing.model_server.skills import Listed, described, folder_of, listed, open_skill, read, shell, use_skill

__all__ = [
    "Answer",
    "Call",
    "Called",
    "Conversation",
    "Cut",
    "Hang",
    "Late",
    "Listed",
    "ModelServer",
    "Refuse",
    "Request",
    "Result",
    "Rule",
    "Say",
    "Script",
    "Text",
    "Tool",
    "described",
    "folder_of",
    "listed",
    "open_skill",
    "read",
    "rules",
    "shell",
    "use_skill",
]
