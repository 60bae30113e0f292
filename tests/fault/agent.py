"""An agent under script: notes every call in a ledger outside of the store, then behaves as its rules say.

Everything about it that changes from test to test lies in the folder `$FAULT_DIR`, so that its identity never does:
`rules.json` is a list of `{"mode": …, "prompt": part of it, "sample": n, "attempt": n}`, the first that fits counts, each test
of a rule may be left out; `ledger` gets one line of JSON for each call.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(os.environ["FAULT_DIR"])
SLEEPER = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
RUBBISH = {
    "not-json": b"I have no idea.",
    "empty": b"",
    "array": b"[]",
    "nested": b'{"output": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nan": b'{"output": "x", "usage": {"cost_usd": NaN}}',
    "twice": b'{"output": "x", "output": "y"}',
    "half-surrogate": b'{"output": "\\ud800"}',
    "not-utf8": b'{"output": "\xff"}',
    "two-documents": b'{"output": "x"}\n{"output": "y"}',
    "no-output": b'{"skills_used": []}',
}


def main() -> None:
    request = json.loads(sys.stdin.buffer.readline())
    rule = rule_for(request)
    mode = rule.get("mode", "answer")
    if mode in RUBBISH:
        write(RUBBISH[mode])
    else:
        globals()[mode.replace("-", "_")](request, rule)


def rule_for(request: dict) -> dict:
    attempt = sum(each["call_id"] == request["call_id"] for each in ledger())
    entry = {key: request[key] for key in ("call_id", "prompt", "sample", "role")}
    entry |= {"at": time.time(), "pid": os.getpid(), "workspace": request["workspace"]}
    entry |= {"skills": [skill["name"] for skill in request["skills"]]}
    with (FOLDER / "ledger").open("ab", buffering=0) as file:
        file.write(json.dumps(entry).encode() + b"\n")
    rules = json.loads((FOLDER / "rules.json").read_bytes())
    fits = (rule for rule in rules if rule.get("prompt", "") in request["prompt"])
    fits = (rule for rule in fits if rule.get("sample", request["sample"]) == request["sample"])
    return next((rule for rule in fits if rule.get("attempt", attempt) == attempt), {})


def ledger() -> list:
    path = FOLDER / "ledger"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def answer_to(request: dict, **more: object) -> bytes:
    """The same for equal requests, wherever and whenever they are asked."""
    skills = [skill["name"] for skill in request["skills"] if "cabbage" in request["prompt"]]
    for name in skills:
        (Path(request["workspace"]) / ".agents/skills" / name / "references/soil.md").read_bytes()
    answer = {
        "output": f"answer to {request['prompt']}",
        "skills_used": skills,
        "files_read": [f".agents/skills/{name}/references/soil.md" for name in skills],
        "tool_calls": [],
        "usage": {"input_tokens": 3, "output_tokens": 4, "cost_usd": 0.01},
        "model": "scripted-1",
    }
    return json.dumps(answer | more).encode()


def write(content: bytes) -> None:
    """All of it, past any buffer."""
    while content:
        content = content[os.write(1, content) :]


def note_pid(name: str, pid: int) -> None:
    with (FOLDER / f"pids-{name}").open("a") as file:
        file.write(f"{pid}\n")


def pause(request: dict, point: str) -> None:
    """Say that this point is reached and go on when told to; never for longer than a test takes."""
    (FOLDER / f"at-{request['call_id'][7:23]}").write_text(point)
    until = time.monotonic() + 60
    while not (FOLDER / "go").exists() and time.monotonic() < until:
        time.sleep(0.005)


def answer(request: dict, rule: dict) -> None:
    write(answer_to(request))


def pausing(request: dict, rule: dict) -> None:
    content = answer_to(request, **rule.get("more", {}))
    half = len(content) // 2
    for point, part in (("begun", content[:half]), ("half", content[half:]), ("whole", b"")):
        if rule["point"] == point:
            print("a word of warning", file=sys.stderr, flush=True)
            pause(request, point)
            print("and another", file=sys.stderr, flush=True)
        write(part)


def slow(request: dict, rule: dict) -> None:
    time.sleep(rule["seconds"])
    write(answer_to(request))


def sleep(request: dict, rule: dict) -> None:
    time.sleep(300)


def sleep_after_answer(request: dict, rule: dict) -> None:
    write(answer_to(request))
    time.sleep(300)


def ignore_sigterm(request: dict, rule: dict) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(300)


def crash(request: dict, rule: dict) -> None:
    print("boom \x1b[31mred", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


def fail_with_answer(request: dict, rule: dict) -> None:
    write(answer_to(request))
    sys.exit("out of credit")


def report_error(request: dict, rule: dict) -> None:
    write(answer_to(request, error="the service is down"))


def refuse(request: dict, rule: dict) -> None:
    """Turned away by the service, which says when to come back."""
    write(answer_to(request, error="slow down", retry_after_s=rule["seconds"]))


def flood(request: dict, rule: dict) -> None:
    while True:
        os.write(1, b"x" * (1 << 20))


def hundred_megabytes(request: dict, rule: dict) -> None:
    write(answer_to(request, output="x" * (100 << 20)))


def large(request: dict, rule: dict) -> None:
    """An answer that does not compress, written past a limit on the size of files that binds whoever asks."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
    write(answer_to(request, output=os.urandom(rule["bytes"] // 2).hex()))


def close_stdin(request: dict, rule: dict) -> None:
    os.close(0)
    write(answer_to(request))


def daemon_in_group(request: dict, rule: dict) -> None:
    note_pid("in-group", subprocess.Popen([sys.executable, "-S", "-c", SLEEPER]).pid)
    write(answer_to(request))


def daemon_of_its_own(request: dict, rule: dict) -> None:
    note_pid("of-its-own", subprocess.Popen([sys.executable, "-S", "-c", SLEEPER], start_new_session=True).pid)
    write(answer_to(request))


def litter(request: dict, rule: dict) -> None:
    for number in range(10_050):
        Path(f"litter-{number}").touch()
    write(answer_to(request))


def litter_bytes(request: dict, rule: dict) -> None:
    for number in range(3):
        with Path(f"large-{number}").open("wb") as file:
            file.truncate(30 << 20)
    write(answer_to(request))


def litter_deep(request: dict, rule: dict) -> None:
    for _ in range(40):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    write(answer_to(request))


def remove_workspace(request: dict, rule: dict) -> None:
    import shutil

    shutil.rmtree(request["workspace"])
    write(json.dumps({"output": "all gone", "skills_used": [], "files_read": [], "tool_calls": []}).encode())


def lock_up_workspace(request: dict, rule: dict) -> None:
    Path("shut").mkdir()
    Path("shut/file").write_text("x")
    Path("shut").chmod(0)
    write(answer_to(request))


if __name__ == "__main__":
    main()
