"""The log that Codex keeps of a session in its home, which tells what its event stream leaves out: calls that were refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from selftune_build.agents.hosts import records
from selftune_build.limits import HOST_SESSION_CALL_CHARACTERS

_CALLS = ("function_call", "custom_tool_call", "local_shell_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")


def closing(home: Path) -> dict[str, Any]:
    """Version, model asked for and every call with its output, of the one session below this home; empty without one."""
    logs = sorted((home / ".codex" / "sessions").glob("*/*/*/rollout-*.jsonl"))
    found = list(records(logs[0])) if logs else []
    if not found:
        return {}
    payloads = [record["payload"] for record in found if isinstance(record.get("payload"), dict)]
    outputs = {each.get("call_id"): _text(each.get("output")) for each in payloads if each.get("type") in _OUTPUTS}
    calls = [_call(each, outputs) for each in payloads if each.get("type") in _CALLS]
    versions = [each["cli_version"] for each in payloads if isinstance(each.get("cli_version"), str)]
    models = [each["model"] for each in payloads if isinstance(each.get("model"), str)]
    return {"version": next(iter(versions), None), "model": next(iter(models), None), "calls": calls}


def _call(payload: dict[str, Any], outputs: dict[Any, str]) -> dict[str, Any]:
    given = payload.get("arguments", payload.get("input", payload.get("action")))
    name = str(payload.get("name") or payload["type"])
    return {"name": name, "input": _object(given), "output": outputs.get(payload.get("call_id"))}


def _object(given: Any) -> dict[str, Any]:
    """The input of a call, which is text for most tools: JSON, or for a patch the patch."""
    if isinstance(given, str):
        try:
            decoded = msgspec.json.decode(given)
        except (msgspec.MsgspecError, RecursionError):
            decoded = None
        return decoded if isinstance(decoded, dict) else {"input": given[:HOST_SESSION_CALL_CHARACTERS]}
    return given if isinstance(given, dict) else {}


def _text(output: Any) -> str:
    if isinstance(output, list):
        output = "\n".join(str(part.get("text", "")) for part in output if isinstance(part, dict))
    text = output if isinstance(output, str) else msgspec.json.encode(output).decode()
    return text[:HOST_SESSION_CALL_CHARACTERS]
