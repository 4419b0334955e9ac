"""Error rate: how often the decision turns out wrong, on rows whose label is known."""

from tocsin.detect.streams.labelled import performance, wrong
from tocsin.detect.streams.watch import kind, limit_of

MEASURE = performance(
    "error_rate",
    "error rate",
    wrong,
    harm="People get wrong decisions more often.",
    blind_spot="Wrong both ways counts alike: look at recall and false discoveries for the kinds of error.",
)

DETECTOR = kind(
    MEASURE,
    "Error rate",
    "An alarm says: in the traffic served, decisions are wrong more often than the limit or the stream's own past allows.",
    limit_of("the share of wrong decisions that is accepted"),
    required=("decision", "label"),
)
