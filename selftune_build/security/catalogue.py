"""Every finding of the gate `security`: what holds, how much it weighs, and why it matters."""

from __future__ import annotations

from msgspec import Struct

from selftune_build.model.finding import Severity

GATE = "security"

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


class Rule(Struct, frozen=True):
    """One rule: its stable code, what holds where it finds nothing, its severity, and what happens otherwise."""

    code: str
    says: str
    severity: Severity
    why: str


_HIDDEN = (
    Rule("security-hidden-text", "no text is written in characters that nobody sees", _ERROR, "models read it, reviewers do not"),
    Rule("security-bidi-override", "nothing reverses the order in which text is shown", _ERROR, "what is shown is not what runs"),
    Rule(
        "security-invisible-character", "there are no stray invisible characters", _WARNING, "they split words that are searched"
    ),
    Rule("security-hidden-comment", "no comment or hidden element holds hostile instructions", _ERROR, "rendered, it is gone"),
    Rule("security-comment-to-model", "no comment or hidden element speaks to the model", _WARNING, "rendered, it is gone"),
    Rule(
        "security-encoded-text", "no encoded text decodes to commands or instructions", _ERROR, "nobody reviews what is encoded"
    ),
    Rule("security-off-screen", "no text is pushed out of sight by blanks", _WARNING, "reviewers do not scroll that far"),
    Rule("security-long-line", "no line of prose has more than 10,000 characters", _NOTE, "reviewers do not scroll that far"),
    Rule("security-concealment", "nothing asks to keep what is done from the user", _WARNING, "who hides an act knows why"),
)

_REMOTE = (
    Rule("security-curl-pipe-shell", "nothing fetched is handed to a shell unseen", _ERROR, "whoever serves it tomorrow runs it"),
    Rule("security-decode-pipe-shell", "nothing decoded is handed to a shell unseen", _ERROR, "what runs is not what is written"),
    Rule("security-remote-code", "no script runs code that it fetched", _ERROR, "whoever serves it tomorrow runs it"),
    Rule("security-download-run", "nothing is downloaded and run in one go", _WARNING, "what runs is not in the package"),
    Rule("security-remote-instructions", "no instructions are fetched and followed", _WARNING, "the lock cannot cover them"),
    Rule("security-auto-execution", "no command runs by the skill being opened", _WARNING, "nobody is asked before it runs"),
)

_DECLARED = (
    Rule(
        "security-undeclared-tool",
        "`allowed-tools`, where there is one, covers what is used",
        _WARNING,
        "it says less than is so",
    ),
    Rule(
        "security-undeclared-network", "`compatibility` or `allowed-tools` tell of the network", _NOTE, "sandboxes refuse it late"
    ),
    Rule("security-host-settings", "no settings of a host are part of the package", _WARNING, "hosts act on them unasked"),
    Rule(
        "security-broad-description", "the description does not claim every request", _WARNING, "it takes over from other skills"
    ),
    Rule("security-confusable-name", "the name is not mistaken for another skill", _WARNING, "the wrong skill is installed"),
    Rule(
        "security-lookalike-name", "no foreign letters make the name look like another's", _ERROR, "the wrong skill is installed"
    ),
)

_CONTENT = (
    Rule("security-secret", "no file holds a key or token", _ERROR, "whoever reads the package can use it"),
    Rule("security-executable", "there is no compiled program", _WARNING, "nobody can review it"),
    Rule("security-archive", "there is no archive", _WARNING, "what is in it was not looked at"),
    Rule("security-disguised-file", "what a file holds is what its name says", _ERROR, "it passes where its kind would not"),
    Rule("security-not-scanned", "every text is small enough to be looked at", _WARNING, "the rest was not looked at"),
)

_DRIFT = (
    Rule("security-drift-host", "no host is named that the lock does not know", _WARNING, "new since the lock was written"),
    Rule("security-drift-script", "there is no script that the lock does not know", _WARNING, "new since the lock was written"),
    Rule("security-drift-tool", "`allowed-tools` grants nothing beyond the lock", _WARNING, "new since the lock was written"),
)

_WAIVERS = (
    Rule("security-waiver-unused", "every accepted finding is still there", _WARNING, "a waiver for nothing hides the next one"),
)

RULES: tuple[Rule, ...] = (*_HIDDEN, *_REMOTE, *_DECLARED, *_CONTENT, *_DRIFT, *_WAIVERS)
"""All rules, by family."""

SHARED = frozenset(
    ("ambiguous-frontmatter", "yaml-duplicate-key", "hidden-text", "name-not-ascii", "skill-not-utf8", "nul-character")
)
"""Errors of the stage `spec` that count for this gate as well: text that two readers read differently, or that nobody sees."""

BY_CODE = {rule.code: rule for rule in RULES}
