"""Label flips by source: does one source of labels contradict the model more often than it did? A sign of poisoned feedback."""

from tocsin.detect.streams.labelled import wrong
from tocsin.detect.streams.measure import Measure
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category

MEASURE = Measure(
    name="label_flips",
    category=Category.ADVERSARIAL_ATTACK,
    table="predictions",
    noun="share of labels that contradict the decision",
    columns=lambda parameters: ("decision", "label", f"group.{parameters['group']}"),
    amounts=wrong,
    harm="Labels of this source may be poisoned; what is trained on them is, too.",
    blind_spots=(
        "A source that always lied looks normal against its own past: set a limit.",
        "Poison spread over many sources, each a little, stays below the noise of each.",
        "Labels of a harder kind of case look the same: read the rows.",
    ),
    next_steps=(
        "Take the source out of training data until it is explained.",
        "Read the contradicted rows: one kind of case, one trigger, one author?",
    ),
    tags=("atlas.AML.T0020",),
)

DETECTOR = kind(
    MEASURE,
    "Label flips by source",
    "An alarm says: labels of one source contradict decisions more often than the limit or that source's own past allows.",
    limit_of("the share of contradicting labels that is accepted"),
    Parameter("group", str, None, "the attribute that names the source: a column `group.<name>`", required=True),
    sources=("Biggio et al., arXiv:1206.6389 (poisoning)",),
    required=("decision", "label"),
    by="group",
)
