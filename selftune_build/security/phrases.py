"""What hostile instructions say, wherever they are hidden. Every pattern is linear: bounded gaps after a rare word."""

from __future__ import annotations

import re

from selftune_build.late import late

_FLAGS = re.IGNORECASE

CONCEAL = late(
    r"\b(?:(?:do not|don't|never|must not)\s{1,3}(?:\w{1,12}\s{1,3})?"
    r"(?:tell|inform|notify|alert|reveal|disclose|mention)\b[^.\n]{0,40}\b(?:the )?user\b(?!\s{1,3}to\b)"
    r"|without\s{1,3}(?:telling|informing|notifying|alerting|the knowledge of|the awareness of)\s{1,3}(?:the\s{1,3})?user"
    r"|(?:hide|conceal|keep\b[^.\n]{0,40}\b(?:hidden|secret))\b[^.\n]{0,40}\bfrom\s{1,3}(?:the\s{1,3})?user\b)",
    _FLAGS,
)
"""Keep it from the user."""

OVERRIDE = late(
    r"\b(?:ignore|disregard|forget|override)\s{1,3}(?:all\s{1,3}|any\s{1,3}|the\s{1,3}|your\s{1,3}|of\s{1,3}|these\s{1,3}){0,3}"
    r"(?:previous|prior|above|earlier|preceding|system|original|safety)\s{1,3}(?:\w{1,12}\s{1,3})?"
    r"(?:instructions?|rules?|prompts?|guidelines?|directives?|messages?)\b",
    _FLAGS,
)
"""Forget what you were told."""

STEALTH = late(
    r"\b(?:silently|secretly|quietly|covertly|in the background)\s{1,3}"
    r"(?:run|execute|send|upload|post|copy|read|delete|install|download|collect|forward|exfiltrate)\b",
    _FLAGS,
)
"""Do it unseen."""

EXFILTRATE = late(
    r"\b(?:send|post|upload|forward|exfiltrate|transmit|leak)\b[^.\n]{0,80}"
    r"(?:https?://|\b(?:api[_ -]?keys?|credentials?|passwords?|tokens?|secrets?|private keys?|ssh keys?)\b|\.env\b)",
    _FLAGS,
)
"""Give it away."""

SHELL = late(
    r"(?:\b(?:curl|wget)\b[^\n]{0,120}https?://|\b(?:run|execute)\b[^.\n]{0,60}\b(?:curl|wget|bash|sh|powershell|base64|nc)\b|\brm\s{1,3}-rf\b|~/\.(?:ssh|aws)\b"
    r"|\b(?:eval|exec|system|popen|spawn)\s?\(|\bsubprocess\.|/dev/tcp/|\bnc\s{1,3}-e\b|\|\s{0,3}(?:ba)?sh\b)",
    _FLAGS,
)
"""Run it."""

ADDRESS = late(
    r"\b(?:AI|LLM|assistant|agent|language model|the model|Claude|ChatGPT|GPT|Copilot|Codex|Gemini)\b[^\n]{0,60}?"
    r"\b(?:must|should|shall|always|never|please|do not|don't|need to|have to|are (?:required|instructed))\b",
    _FLAGS,
)
"""Addressed to a model."""


def hostile(text: str) -> str:
    """What in a hidden text wants something that nobody would write down in the open; empty where nothing does."""
    hit = next((hit for pattern in (OVERRIDE, CONCEAL, STEALTH, EXFILTRATE, SHELL) if (hit := pattern.search(text))), None)
    return hit[0] if hit else ""
