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

__all__ = [
    "Answer",
    "Call",
    "Called",
    "Conversation",
    "Cut",
    "Hang",
    "Late",
    "ModelServer",
    "Refuse",
    "Request",
    "Result",
    "Rule",
    "Say",
    "Script",
    "Text",
    "Tool",
    "rules",
]
