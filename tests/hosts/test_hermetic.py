"""Of the user's own set-up only the login gets into a run, and nothing gets out of it but to the model."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from selftune_build.testing.model_server import Say, shell, use_skill
from tests.hosts.hosts import Bench, task, trigger

CANARY = "canary-of-the-user"


def set_up_a_user(bench: Bench) -> None:
    """Everything a user may have, with a canary in each: skills, memory, settings with hooks, rules, prompts, MCP servers."""
    skill = f"---\nname: own\ndescription: {CANARY}\n---\n\n{CANARY}\n"
    hook = f"touch {bench.user}/hook-ran; echo {CANARY}"
    hooks = {event: [{"hooks": [{"type": "command", "command": hook}]}] for event in ("SessionStart", "UserPromptSubmit")}
    started = {"type": "local", "command": ["sh", "-c", hook], "enabled": True}
    touching = f"require('fs').writeFileSync('{bench.user}/hook-ran', '')\n"
    server = f'[mcp_servers.own]\ncommand = "sh"\nargs = ["-c", "{hook}"]\n'
    files = {
        ".claude/skills/own/SKILL.md": skill,
        ".claude/CLAUDE.md": CANARY,
        ".claude/rules/own.md": CANARY,
        "CLAUDE.md": CANARY,
        ".claude/settings.json": json.dumps({"hooks": hooks, "env": {"CANARY": CANARY}, "language": CANARY}),
        ".claude.json": json.dumps({"mcpServers": {"own": {"command": "sh", "args": ["-c", hook]}}}),
        ".claude/commands/own.md": CANARY,
        ".claude/agents/own.md": f"---\nname: own\ndescription: {CANARY}\n---\n{CANARY}",
        ".agents/skills/own/SKILL.md": skill,
        ".codex/skills/own/SKILL.md": skill,
        ".codex/AGENTS.md": CANARY,
        "AGENTS.md": CANARY,
        ".codex/config.toml": f'developer_instructions = "{CANARY}"\n{server}',
        ".codex/prompts/own.md": CANARY,
        ".gemini/skills/own/SKILL.md": skill,
        ".gemini/GEMINI.md": CANARY,
        "GEMINI.md": CANARY,
        ".gemini/settings.json": json.dumps({"mcpServers": {"own": {"command": "sh", "args": ["-c", hook]}}}),
        ".gemini/commands/own.toml": f'prompt = "{CANARY}"\n',
        ".gemini/.env": f"GEMINI_CLI_CUSTOM_HEADERS=X-Canary: {CANARY}\n",
        ".env": f"GEMINI_CLI_CUSTOM_HEADERS=X-Canary: {CANARY}\n",
        ".pi/skills/own/SKILL.md": skill,
        ".pi/agent/skills/own/SKILL.md": skill,
        ".pi/agent/AGENTS.md": CANARY,
        ".pi/agent/SYSTEM.md": CANARY,
        ".pi/agent/APPEND_SYSTEM.md": CANARY,
        ".pi/agent/settings.json": json.dumps({"shellCommandPrefix": hook, "skills": [str(bench.user / ".codex/skills")]}),
        ".pi/agent/models.json": json.dumps({"providers": {"openai": {"headers": {"X-Canary": CANARY}}}}),
        ".pi/agent/extensions/own.js": touching,
        ".config/opencode/AGENTS.md": CANARY,
        ".config/opencode/opencode.json": json.dumps(
            {"instructions": ["~/CLAUDE.md"], "username": CANARY, "mcp": {"own": started}}
        ),
        ".config/opencode/skills/own/SKILL.md": skill,
        ".config/opencode/plugins/own.js": touching,
        ".opencode/skills/own/SKILL.md": skill,
        ".opencode/plugins/own.js": touching,
        ".opencode/agents/build.md": f"---\ndescription: own\n---\n{CANARY}",
        "opencode.json": json.dumps({"agent": {"build": {"prompt": CANARY}}}),
        ".qwen/skills/own/SKILL.md": skill,
        ".qwen/QWEN.md": CANARY,
        "QWEN.md": CANARY,
        ".qwen/settings.json": json.dumps({"mcpServers": {"own": {"command": "sh", "args": ["-c", hook]}}, "hooks": hooks}),
        ".qwen/output-language.md": CANARY,
        ".qwen/.env": f"OPENAI_MODEL={CANARY}\nQWEN_MODEL={CANARY}\n",
        ".copilot/skills/own/SKILL.md": skill,
        ".copilot/copilot-instructions.md": CANARY,
        ".copilot/mcp-config.json": json.dumps({"mcpServers": {"own": {"type": "local", "command": "sh", "args": ["-c", hook]}}}),
        ".copilot/settings.json": json.dumps({"hooks": hooks}),
        ".copilot/agents/own.agent.md": f"---\nname: own\ndescription: {CANARY}\n---\n{CANARY}",
        ".github/skills/own/SKILL.md": skill,
        ".github/copilot-instructions.md": CANARY,
        ".github/hooks/own.json": json.dumps({"version": 1, "hooks": {"sessionStart": [{"type": "command", "bash": hook}]}}),
        ".gitconfig": f"[user]\n\tname = {CANARY}\n",
        ".bash_profile": f"echo {CANARY}\n",
    }
    for path, text in files.items():
        for root in (bench.user, bench.temporary):  # the temporary folder lies above every workspace
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)


def started_as(name: str) -> str:
    """Settings that put a name before opencode's model."""
    return json.dumps({"agent": {"build": {"prompt": name}}})


def test_nothing_of_the_users_own_set_up_reaches_the_model(bench: Bench) -> None:
    set_up_a_user(bench)
    bench.server.script = use_skill("zebra", lambda conversation, skill: Say("done"))
    bench.cases(trigger("t", "Fill in this form"))
    more = {"CLAUDE_CODE_EXTRA_METADATA": CANARY, "ANTHROPIC_CUSTOM_HEADERS": f"X-Canary: {CANARY}", "CODEX_CANARY": CANARY}
    more |= {
        "GEMINI_CLI_CUSTOM_HEADERS": f"X-Canary: {CANARY}",
        "PI_CANARY": CANARY,
        "OPENCODE_CONFIG_CONTENT": started_as(CANARY),
    }
    more |= {"QWEN_CODE_CANARY": CANARY, "COPILOT_CUSTOM_INSTRUCTIONS_DIRS": str(bench.user)}
    bench.build(**more)
    assert bench.row("t")["triggered"] == 1
    assert all(CANARY.encode() not in request.body for request in bench.server.requests)
    assert all(CANARY not in str(request.headers) for request in bench.server.requests)
    assert not (bench.user / "hook-ran").exists()


def test_a_run_leaves_nothing_in_the_users_home(bench: Bench) -> None:
    set_up_a_user(bench)
    before = {path: path.read_bytes() for path in sorted(bench.user.rglob("*")) if path.is_file()}
    bench.cases(trigger("t", "Fill in this form"))
    bench.build()
    assert {path: path.read_bytes() for path in sorted(bench.user.rglob("*")) if path.is_file()} == before


def test_what_watches_a_host_watches_no_command_of_its_model(bench: Bench) -> None:
    bench.server.script = lambda conversation: (
        shell(conversation, "env") if conversation.tools and not conversation.results else Say("done")
    )
    bench.cases(task("t", "Look around", "done"))
    bench.build("pdf-forms:replay[t]")
    (shown,) = [each.results[-1].text for each in bench.server.conversations if each.results]
    assert "HOME=" in shown
    assert "NODE_OPTIONS" not in shown


def test_the_bundled_skills_of_the_host_do_not_compete(bench: Bench) -> None:
    from selftune_build.testing.model_server import listed

    bench.cases(trigger("t", "Fill in this form"))
    bench.build()
    offers = [{skill.name for skill in listed(each)} for each in bench.server.conversations if each.tools]
    assert offers == [{"pdf-forms", "tea"}]


def test_nobody_is_contacted_but_the_model(bench: Bench, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.fail("strace is needed to see which connections a program makes: install it with the system's package manager")
    bench.server.script = use_skill("zebra", lambda conversation, skill: Say("done"))
    bench.cases(trigger("t", "Fill in this form"))
    log = tmp_path / "strace"
    command = [strace, "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(log), *bench.command("pdf-forms")]
    subprocess.run(command, env=bench.environment(), capture_output=True, timeout=180, check=False)
    assert bench.row("t")["triggered"] == 1
    addresses = set(
        re.findall(
            r"sin6?_port=htons\((\d+)\).*?(?:inet_addr\(\"([^\"]+)\"\)|inet_pton\(AF_INET6, \"([^\"]+)\")", log.read_text()
        )
    )
    port = bench.server.url.rpartition(":")[2]
    assert {(found_port, four or six) for found_port, four, six in addresses} == {(port, "127.0.0.1")}
