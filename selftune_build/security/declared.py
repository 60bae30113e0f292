"""What the frontmatter declares, against what the package does: tools, the network, and how much of the work it claims."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selftune_build.late import late
from selftune_build.model.finding import Finding
from selftune_build.model.package import SKILL_FILE
from selftune_build.security.subject import SHELL_SUFFIXES, Subject, Text, found

_SHELL_FENCE = late(r"\s{0,12}(?:```+|~~~+)\s{0,3}(?:bash|sh|shell|zsh|console|powershell|pwsh)\b", re.IGNORECASE)
_SHELL_TOOLS = frozenset(
    ("bash", "shell", "powershell", "execute", "exec", "terminal", "run_shell_command", "run_terminal_cmd", "computer")
)
_NETWORK_TOOLS = frozenset(("webfetch", "websearch", "web_fetch", "web_search", "fetch", "browser"))
_MCP = late(r"\bmcp__[A-Za-z0-9_-]{1,80}")
_NETWORK_CODE = late(
    r"^\s{0,80}(?:import|from)\s{1,3}(?:requests|httpx|aiohttp|urllib\.request|urllib3|http\.client|socket|websockets?|paramiko|boto3)\b"
    r"|\b(?:urlopen|fetch|axios(?:\.\w{1,10})?|XMLHttpRequest|Invoke-WebRequest|Invoke-RestMethod|HttpClient)\s{0,2}[(\s]\s{0,2}[\"'`(]?https?://"
    r"|^\s{0,80}(?:curl|wget)\s",
    re.MULTILINE,
)
_NETWORK_MODULES = ("requests", "httpx", "aiohttp", "urllib", "http.client", "socket", "paramiko", "boto3")
_NETWORK_SIGNS = (*_NETWORK_MODULES, "://", "curl", "wget")
"""Without one of these a text holds no such code."""
_NETWORK_WORDS = late(r"\b(?:network|internet|online|https?|web|download|api|remote|connect)", re.IGNORECASE)
_TOOL = late(r"[^\s,()]{1,200}(?:\([^()\n]{0,500}\))?")
_CLAIMS = (
    r"\b(?:for|on|in|before|with|to)\s{1,3}(?:any and )?(?:every|all|any|each)\s{1,3}"
    r"(?:(?:single|user|possible|incoming)\s{1,3}){0,2}"
    r"(?:requests?|messages?|tasks?|prompts?|questions?|conversations?|responses?|queries|interactions?)\s{0,2}"
    r"(?:$|[.,;:!)]|\b(?:of the user|from|no matter|regardless|and|before|without)\b)",
    r"\bbefore\s{1,3}(?:any|every|all|each)\s{1,3}(?:responses?|answers?|actions?|replies|reply)\b",
    r"\b(?:instead of|over|rather than|before|takes? (?:precedence|priority) over|overrides?|replaces?|ignore|disregard)\s{1,3}"
    r"(?:all|any|every|the)?\s{0,3}other\s{1,3}skills?\b",
    r"\b(?:must|should)\s{1,3}always\s{1,3}be\s{1,3}(?:used|loaded|active|activated|invoked|triggered)\s{0,3}(?:$|[.,;!])",
    r"\b(?:always|must)\s{1,3}(?:use|load|invoke|activate|trigger|run|apply)\s{1,3}(?:this|the)\s{1,3}skill\s{0,3}"
    r"(?:$|[.;!]|first\b|before (?:any|every|all)\b|no matter\b|regardless\b)",
    r"\bregardless\s{1,3}of\s{1,3}(?:the\s{1,3})?(?:request|task|topic|question|prompt|what the user)\b",
    r"\bhighest\s{1,3}priority\b",
)
_BROAD = late("|".join(_CLAIMS), re.IGNORECASE)


def tools_of(allowed_tools: str | None) -> tuple[str, ...]:
    """The tools of `allowed-tools`, each once and in order: `Read`, `Bash(git:*)`. Hosts separate them by spaces or commas."""
    return tuple(dict.fromkeys(hit[0] for hit in _TOOL.finditer(allowed_tools or "")))


def check_declared(subject: Subject) -> Iterator[Finding]:
    """Findings on `allowed-tools`, `compatibility` and `description`."""
    if subject.allowed_tools is not None:
        yield from _tools(subject)
    yield from _network(subject)
    hit = _BROAD.search(subject.description)
    if hit:
        hint = "say for which requests it is, and for which it is not"
        yield found("security-broad-description", SKILL_FILE, None, "the description claims too much", hit[0].strip(), hint=hint)


def _tools(subject: Subject) -> Iterator[Finding]:
    tools = tools_of(subject.allowed_tools)
    names = {tool.partition("(")[0].lower() for tool in tools}
    skill = subject.skill
    if "*" in names or skill is None:
        return
    used = _shell_use(subject, skill)
    if used and not names & _SHELL_TOOLS:
        text, line, what = used
        yield _undeclared(text, line, what, "a shell is used, and allowed-tools names none", "Bash(…)")
    granted = [tool for tool in tools if tool.startswith("mcp__")]
    for number, line_text in enumerate(skill.lines, 1):
        for hit in _MCP.finditer(line_text) if "mcp__" in line_text else ():
            if not any(
                hit[0] == tool or hit[0].startswith(tool.rstrip("*") + ("" if tool.endswith("*") else "__")) for tool in granted
            ):
                yield _undeclared(skill, number, hit[0], "a tool that allowed-tools does not name", hit[0])
                return


def _undeclared(text: Text, line: int | None, what: str, said: str, tool: str) -> Finding:
    return found("security-undeclared-tool", text.path, line, said, what, hint=f"add {tool} to allowed-tools, or remove its use")


def _shell_use(subject: Subject, skill: Text) -> tuple[Text, int | None, str] | None:
    """Where the skill is seen to need a shell: a block of commands, or a shell script among its files."""
    for number, line in enumerate(skill.lines, 1):
        if _SHELL_FENCE.match(line):
            command = next((each.strip() for each in skill.lines[number : number + 5] if each.strip()), line.strip())
            return skill, number, command
    script = next((text for text in subject.staged if text.path.lower().endswith(SHELL_SUFFIXES)), None)
    return (script, None, script.path) if script else None


def _network(subject: Subject) -> Iterator[Finding]:
    declared = bool(_NETWORK_WORDS.search(subject.compatibility))
    names = {tool.partition("(")[0].lower() for tool in tools_of(subject.allowed_tools)}
    if declared or names & _NETWORK_TOOLS:
        return
    for text in subject.staged:
        suspect = text.is_script and any(sign in text.content for sign in _NETWORK_SIGNS)
        hit = _NETWORK_CODE.search(text.content) if suspect else None
        if hit:
            line = text.content.count("\n", 0, hit.start()) + 1
            hint = "say in compatibility: that it needs the network, and for what"
            said = "a script uses the network, and nothing in the frontmatter says so"
            yield found("security-undeclared-network", text.path, line, said, hit[0].strip(), hint=hint)
            return
