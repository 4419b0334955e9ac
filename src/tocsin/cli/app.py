"""The command line: which commands there are, and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from cyclopts import App, CycloptsError

from tocsin import __version__
from tocsin.model.errors import (
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_REFUSED,
    TocsinError,
    UsageFault,
)


class Command(NamedTuple):
    """A command: its name (with a space: a command of a group), the module below `cli.commands` and what it does."""

    name: str
    function: str
    help: str
    group: str


SET_UP = "Set up"
WATCH = "Watch"
ANSWER = "Answer"
PROVE = "Prove"

COMMANDS = (
    Command("demo", "demo:demo", "Play a month in the life of a bank and its support assistant.", SET_UP),
    Command("init", "workspace:init", "Make a workspace from a template.", SET_UP),
    Command("check", "workspace:check", "Check the policy and every system; list every mistake and every gap.", SET_UP),
    Command("register text", "register:text", "Register a text that must not come out of a system.", SET_UP),
    Command("register canary", "register:canary", "Make a canary: a token to plant in a prompt or a document.", SET_UP),
    Command("register list", "register:list_", "List what is registered; nothing of the texts is shown.", SET_UP),
    Command("register forget", "register:forget", "Forget a registered text or canary.", SET_UP),
    Command("ingest", "ingest:ingest", "Read telemetry files into the workspace.", WATCH),
    Command("detect", "detect:detect", "Judge new telemetry; open and update incidents.", WATCH),
    Command("watch", "watch:watch", "Follow a folder: ingest, detect and triage what arrives.", WATCH),
    Command("findings", "findings:findings", "List what the detectors found, or explain one finding.", WATCH),
    Command("monitor plan", "monitor:plan", "Tell how soon which change would be found, before deploying.", WATCH),
    Command("monitor report", "monitor:report", "Report what the detectors of a system saw, with plots.", WATCH),
    Command("compare", "compare:compare", "Compare two files of rows, column by column and group by group.", WATCH),
    Command("scan", "scan:scan", "Scan texts for personal data, secrets and attack wording.", WATCH),
    Command("rules", "rules:rules", "List the rules of text detection, and how far each can be trusted.", WATCH),
    Command("incident declare", "incident:declare", "Declare an incident that a person noticed.", ANSWER),
    Command("incident list", "incident:list_", "List incidents, the gravest and most urgent first.", ANSWER),
    Command("incident show", "incident:show", "Show an incident: state, findings, clocks, what is next.", ANSWER),
    Command("incident set", "incident:set_", "Record a date, a fact, the severity or the phase.", ANSWER),
    Command("incident ack", "incident:ack", "Acknowledge an incident: a person now knows.", ANSWER),
    Command("incident assign", "incident:assign", "Give a role in an incident to a person.", ANSWER),
    Command("incident link", "incident:link", "Link two incidents, or merge one into the other.", ANSWER),
    Command("incident split", "incident:split", "Move findings into an incident of their own.", ANSWER),
    Command("incident note", "incident:note", "Add a note to the timeline.", ANSWER),
    Command("incident timeline", "incident:timeline", "Tell what happened, in order, and who did it.", ANSWER),
    Command("incident close", "incident:close", "Close an incident; refused until its fix is proven.", ANSWER),
    Command("incident reopen", "incident:reopen", "Reopen a closed incident, with the reason.", ANSWER),
    Command(
        "incident erase", "incident:erase", "Erase a closed incident's evidence; the ledger still verifies.", ANSWER
    ),
    Command("law list", "law:list_", "List the regimes that Tocsin knows, and what each is today.", ANSWER),
    Command("law show", "law:show", "Show a regime with every part of it, to check it against the statute.", ANSWER),
    Command("law check", "law:check", "Compare every regime with its cases that were counted by hand.", ANSWER),
    Command("law due", "duties:due", "Show who must be told what by when, and why.", ANSWER),
    Command("law ask", "duties:ask", "Show the open questions, the most decisive first.", ANSWER),
    Command(
        "law explain",
        "duties:explain",
        "Explain one duty: why, how its clock was counted, where it is written.",
        ANSWER,
    ),
    Command("law ics", "duties:ics", "Write deadlines as a calendar with alarms.", ANSWER),
    Command("law diff", "duties:diff", "Tell which open incidents change when packs are updated, and how.", ANSWER),
    Command("law decide", "duties:decide", "Record that a report is not owed, with the reason.", ANSWER),
    Command("respond", "respond:respond", "Show the next steps of the playbook, or complete one.", ANSWER),
    Command("report prepare", "report:prepare", "Fill a form as PDF and JSON, with every gap named.", ANSWER),
    Command("report answer", "report:answer", "Give a field of a form what no record fills.", ANSWER),
    Command("report filed", "report:filed", "Record that a report was handed in.", ANSWER),
    Command("report diff", "report:diff", "Show what changed between two versions of a report.", ANSWER),
    Command("remediate", "remediate:remediate", "Record cause and actions; prove the fix on new telemetry.", ANSWER),
    Command("verify", "verify:verify", "Verify the ledger, or a bundle that was exported from one.", PROVE),
    Command("checkpoint", "verify:checkpoint", "Sign the present head of the ledger.", PROVE),
    Command("export", "verify:export", "Write a bundle that anybody can verify offline.", PROVE),
    Command(
        "measure", "measure:measure", "Show times to detect, answer and close, and how often deadlines were met.", PROVE
    ),
    Command("policy", "workspace:policy", "Print the policy as the document that a board signs.", PROVE),
    Command("completion", "completion:completion", "Print the completion script of a shell.", SET_UP),
)

EPILOGUE = (
    "Exit codes: 0 fine, 1 a finding, a failed check or a rule that says no, 2 usage, 3 bad input, 4 environment, 5 conflict,"
    " 70 an error of Tocsin's own.  Every command takes --json."
)

STANDARD_INPUT = "./-"
"""The parser takes a lone hyphen for an option; as a path this is the same."""

GROUPS = {
    "incident": "Work on incidents.",
    "law": "Reporting duties and their clocks.",
    "report": "Reports to authorities.",
    "monitor": "What detectors can find, and what they see.",
    "register": "Texts that must not come out of a system, and canaries.",
}


def build() -> App:
    """The whole command tree; a command's module is imported when it is called."""
    app = App(
        name="tocsin",
        version=__version__,
        help="The AI incident response policy that runs.",
        help_epilogue=EPILOGUE,
        print_error=False,
        exit_on_error=False,
        help_format="plaintext",
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    groups = {name: App(name=name, help=text) for name, text in GROUPS.items()}
    for sub in groups.values():
        app.command(sub)
    for command in COMMANDS:
        *parent, name = command.name.split()
        target = groups[parent[0]] if parent else app
        target.command(f"tocsin.cli.commands.{command.function}", name=name, help=command.help)
    return app


def overview() -> str:
    """The list of commands, group by group; made from the table, so that asking for help imports no command."""
    width = max(len(command.name) for command in COMMANDS)
    lines = ["tocsin: the AI incident response policy that runs.", "", "Usage: tocsin COMMAND [OPTIONS]"]
    for group in dict.fromkeys(command.group for command in COMMANDS):
        lines += ["", f"{group}:"]
        lines += [f"  {command.name:<{width}}  {command.help}" for command in COMMANDS if command.group == group]
    return "\n".join([*lines, "", "tocsin COMMAND --help explains a command.", EPILOGUE])


def run(argv: Sequence[str]) -> int:
    """Run one command and give its exit code. Errors of the tree become messages, anything else is our own mistake."""
    if not argv or list(argv) in (["--help"], ["-h"], ["help"]):
        print(overview())
        return EXIT_OK
    try:
        result = build()([STANDARD_INPUT if part == "-" else part for part in argv])
        sys.stdout.flush()
    except CycloptsError as error:
        return _say_usage(error, as_json="--json" in argv)
    except TocsinError as error:
        return _say(error, as_json="--json" in argv)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        print("interrupted; what was acknowledged is kept", file=sys.stderr)
        return EXIT_INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else EXIT_OK if stop.code is None else EXIT_REFUSED
    except Exception as error:  # noqa: BLE001 - the door: whatever got here is our own mistake
        return _say_internal(error)
    return result if isinstance(result, int) else EXIT_OK


def _say(error: TocsinError, *, as_json: bool) -> int:
    """Tell every problem of the error on standard error; as one JSON object when the caller asked for JSON."""
    from tocsin.cli.output import clean, json_text

    problems_ = error.problems()
    if as_json:
        problems = [{"where": str(p.place), "what": p.what, "remedy": p.remedy} for p in problems_]
        missing = list(getattr(error, "missing", ()))
        body = {"error": type(error).__name__, "problems": problems, "missing": missing, "exit_code": error.exit_code}
        print(json_text(body), file=sys.stderr)
        return error.exit_code
    for problem in problems_:
        print(clean(f"error: {problem}"), file=sys.stderr)
    for item in getattr(error, "missing", ()):
        print(clean(f"  - {item}"), file=sys.stderr)
    if len(problems_) > 1:
        print(f"{len(problems_)} problems", file=sys.stderr)
    return error.exit_code


def _say_usage(error: CycloptsError, *, as_json: bool) -> int:
    """What the parser says, as any other mistake of the caller's."""
    asked = " ".join(error.command_chain or ())
    return _say(
        UsageFault(str(error).rstrip("."), f"see: tocsin {f'{asked} ' if asked else ''}--help"), as_json=as_json
    )


def _say_internal(error: Exception) -> int:
    """Our own mistake: say so, keep the trace where the user can send it, and promise what the ledger guarantees."""
    import tempfile
    import traceback

    from tocsin.cli.output import clean

    with tempfile.NamedTemporaryFile(
        "w", prefix="tocsin-error-", suffix=".txt", delete=False, encoding="utf-8"
    ) as kept:
        kept.write("".join(traceback.format_exception(error)))
    print(
        clean(f"internal error: {type(error).__name__}: {error}\n")
        + f"This is a mistake of Tocsin's, not yours. Nothing acknowledged is lost. The details are in {kept.name}.",
        file=sys.stderr,
    )
    return EXIT_INTERNAL
