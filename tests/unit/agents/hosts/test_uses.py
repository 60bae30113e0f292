"""What calls of tools tell, whichever host they are of."""

from __future__ import annotations

from selftune_build.agents.hosts import Opening, Tools, Use, activated, calls_of, files_read, refused
from selftune_build.model.sample import ToolCall

OPENING = Opening("/ws", {"pdf": ("The first line of the body.",), "tea": ("Another body altogether.",)})
TOOLS = Tools(activate={"use": "name"}, read={"look": "path"}, write={"put": "path"}, shell={"run": "command"})


def test_a_skill_is_activated_by_name_by_its_file_by_a_command_that_prints_it_or_by_the_prompt() -> None:
    def found(use: Use) -> tuple[str, ...]:
        return activated(OPENING, [use], TOOLS)

    assert found(Use("use", {"name": "pdf"}, "", False)) == ("pdf",)
    assert found(Use("look", {"path": ".x/skills/tea/SKILL.md"}, "", False)) == ("tea",)
    assert found(Use("run", {"command": "cat */SKILL.md"}, "The first line of the body.\n", False)) == ("pdf",)
    assert activated(Opening("/ws", OPENING.skills, ("tea",)), [], TOOLS) == ("tea",)


def test_what_failed_has_no_result_or_only_resembles_it_activates_nothing() -> None:
    uses = [
        Use("use", {"name": "pdf"}, "no", True),
        Use("use", {"name": "pdf"}, None, False),
        Use("use", {"name": "other"}, "", False),
        Use("use", {}, "", False),
        Use("look", {"path": ".x/skills/tea/references/SKILL.md"}, "", False),
        Use("run", {"command": "ls */SKILL.md"}, ".x/skills/pdf/SKILL.md", False),
        Use("put", {"path": ".x/skills/tea/SKILL.md"}, "", False),
    ]
    assert activated(OPENING, uses, TOOLS) == ()


def test_reads_are_seen_from_the_workspace_and_calls_are_kept() -> None:
    uses = [
        Use("look", {"path": "/ws/a.md"}, "", False),
        Use("look", {"path": "a.md"}, "", False),
        Use("look", {"path": "b.md"}, "", True),
    ]
    assert files_read(OPENING, uses, TOOLS) == ("a.md",)
    assert calls_of(uses[:1]) == (ToolCall("look", {"path": "/ws/a.md"}),)


def test_a_write_outside_that_failed_was_refused_and_so_was_what_the_system_refused_a_command() -> None:
    uses = [
        Use("put", {"path": "/etc/x"}, "EACCES", True),
        Use("put", {"path": "../../x"}, "EACCES", True),
        Use("put", {"path": "/ws/inside"}, "no such folder", True),
        Use("put", {"path": "/home/allowed"}, "written", False),
        Use("run", {"command": "x"}, "sh: /etc/y: Permission denied", True),
    ]
    assert list(refused(OPENING, uses, TOOLS)) == [
        "put: /etc/x: not written",
        "put: ../../x: not written",
        "run: sh: /etc/y: Permission denied",
    ]
