"""Other scanners of text, each run by the Python of its own environment on the same texts: CPU seconds and where they found something."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

MEASURE = """
import json, resource, sys
from importlib.metadata import version
texts = json.load(open(sys.argv[1]))
{setting}
find(texts[0])
def used(): return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
begin = used()
found = [find(text) for text in texts]
cpu = used() - begin
print(json.dumps([version({package!r}), cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, found]))
"""
PRESIDIO = """
import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__(models=[{'lang_code': 'en', 'model_name': 'blank'}])
        self.nlp = {'en': spacy.blank('en')}
    def load(self): pass
    def is_loaded(self): return True
registry = RecognizerRegistry()
registry.load_predefined_recognizers(languages=['en'])
registry.recognizers = [one for one in registry.recognizers if 'Spacy' not in type(one).__name__]
engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=['en'])
def find(text): return [(r.start, r.end) for r in engine.analyze(text, language='en', score_threshold=0.5)]
"""
PLACED = """
def placed(text, values):
    return [(text.find(value), text.find(value) + len(value)) for value in values if value]
"""
DETECT_SECRETS = f"""{PLACED}
import tempfile
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings
settings = default_settings()
settings.__enter__()
file = tempfile.NamedTemporaryFile('w', suffix='.txt', dir='/dev/shm')
def find(text):
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()
    return placed(text, [one.secret_value for one in scan_file(file.name)])
"""
"""It takes files: the interface for a line is for single secrets, and would find dozens in each text."""
DATAFOG = f"""{PLACED}
from datafog.processing.text_processing.regex_annotator import RegexAnnotator
annotator = RegexAnnotator()
def find(text): return placed(text, [value for values in annotator.annotate(text).values() for value in values])
"""
CREDSWEEPER = f"""{PLACED}
from credsweeper.app import CredSweeper
from credsweeper.file_handler.string_content_provider import StringContentProvider
from credsweeper.common.constants import ThresholdPreset
sweeper = CredSweeper(ml_threshold=0)
def find(text):
    found = sweeper.file_scan(StringContentProvider(text.split(chr(10))))
    return placed(text, [line.value for one in found for line in one.line_data_list])
"""
LANGKIT = """
import re, importlib.util, pathlib
folder = pathlib.Path(importlib.util.find_spec('langkit').origin).parent
groups = json.loads((folder / 'pattern_groups.json').read_text())
expressions = [re.compile(one) for group in groups for one in group['expressions']]
def find(text): return [match.span() for one in expressions for match in [one.search(text)] if match]
"""


class Peer(NamedTuple):
    """A scanner: its name, the folder of its environment, its package, and the program that defines `find`."""

    name: str
    folder: str
    package: str
    setting: str


class Told(NamedTuple):
    """What a run of a peer told: all spans are offsets of characters."""

    version: str
    cpu: float
    peak: float
    found: list[list[tuple[int, int]]]


PEERS = (
    Peer("Presidio, pattern recognizers, no model", "presidio", "presidio-analyzer", PRESIDIO),
    Peer("detect-secrets, default plugins", "detect-secrets", "detect-secrets", DETECT_SECRETS),
    Peer("DataFog, regular expressions", "datafog", "datafog", DATAFOG),
    Peer("LangKit, regular expressions", "langkit", "langkit", LANGKIT),
    Peer("CredSweeper, rules, no model", "credsweeper", "credsweeper", CREDSWEEPER),
)


def run(peer: Peer, folder: Path, texts: list[str]) -> Told | None:
    """What the peer found in the texts; None where it has no environment or does not run."""
    python = folder / peer.folder / "bin" / "python"
    if not python.exists():
        return None
    script = MEASURE.format(setting=peer.setting, package=peer.package)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(texts, file)
        file.flush()
        done = subprocess.run([str(python), "-c", script, file.name], capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    return Told(*json.loads(lines[-1])) if done.returncode == 0 and lines else None
