"""Draw what bench/throughput.py has saved.

    python bench/pictures.py run.json FOLDER [--format svg|png]

Three pictures: latency.svg and throughput.svg against the number of proofs under way, batch.svg against the number of proofs in
one command. Vertical axes begin at zero. Needs the extra `plot`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy import percentile

STYLES: dict[str, dict[str, Any]] = {
    "bbipc, tagged": {"color": "#0072b2", "marker": "o"},
    "bbipc, plain": {"color": "#56b4e9", "marker": "s", "linestyle": "--"},
    "bbipc": {"color": "#0072b2", "marker": "o"},
    "bb": {"color": "#d55e00", "marker": "^"},
    "bb, one process per thread": {"color": "#cc79a7", "marker": "v", "linestyle": "--"},
}
"""Colours that the colour-blind can tell apart too."""
SHAPE: dict[str, Any] = {"fillstyle": "none", "linewidth": 1.5}

Curve = tuple[list[int], list[float], list[float], list[float]]


def curve(run: dict[str, Any], experiment: str, contestant: str, quantity: str) -> Curve:
    """Sizes, and for each of them median, 10th and 90th percentile of a quantity: "latency" in seconds, of all requests of all
    rounds; "rate" in proofs per second, of the rounds; "seconds per proof", of the rounds."""
    values: dict[int, list[float]] = {}
    for item in run["measured"]:
        if (item["experiment"], item["contestant"]) != (experiment, contestant):
            continue
        number = item["size"] if experiment == "batch" else len(item["latencies_ms"])
        one = {
            "latency": [value / 1e3 for value in item["latencies_ms"]],
            "rate": [number / item["seconds"]],
            "seconds per proof": [item["seconds"] / number],
        }
        values.setdefault(item["size"], []).extend(one[quantity])
    sizes = sorted(values)
    low, middle, high = ([float(percentile(values[size], share)) for size in sizes] for share in (10, 50, 90))
    return sizes, middle, low, high


def draw(run: dict[str, Any], path: Path, experiment: str, quantity: str, words: dict[str, str]) -> None:
    """One picture: a curve for each contestant, bars from the 10th to the 90th percentile."""
    figure, axes = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    axes.set_xscale("log", base=2)
    all_sizes = sorted({item["size"] for item in run["measured"] if item["experiment"] == experiment})
    axes.set_xticks(all_sizes, [str(size) for size in all_sizes])
    axes.minorticks_off()
    for contestant, style in STYLES.items():
        sizes, middle, low, high = curve(run, experiment, contestant, quantity)
        if sizes:
            below = [centre - end for centre, end in zip(middle, low, strict=True)]
            above = [end - centre for centre, end in zip(middle, high, strict=True)]
            axes.errorbar(sizes, middle, yerr=[below, above], label=contestant, capsize=3, **style, **SHAPE)
    label_all(axes, run, words)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def label_all(axes: Axes, run: dict[str, Any], words: dict[str, str]) -> None:
    """Names, and under what circumstances it was measured."""
    axes.set_ylim(0)
    axes.set_xlabel(words["x"])
    axes.set_ylabel(words["y"])
    axes.set_title(words["title"], fontsize=11)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    circumstances = run["circumstances"]
    note = (
        f"{circumstances['processors']} processors ({circumstances['processor']}), {circumstances['threads']} threads, "
        f"{circumstances['arithmetic']} arithmetic; "
        f"{circumstances['rounds']} rounds, {circumstances['date']}; load before: {circumstances['load before']:.1f}"
    )
    axes.annotate(
        note, (1, 1.0), (0, 2), "axes fraction", textcoords="offset points", ha="right", fontsize=6.5, color="#555555"
    )


PICTURES = {
    "latency": (
        "under way",
        "latency",
        {
            "title": "Time from request to response\n",
            "x": "proofs under way (logarithmic)",
            "y": "seconds; median, 10th to 90th percentile",
        },
    ),
    "throughput": (
        "under way",
        "rate",
        {
            "title": "Throughput\n",
            "x": "proofs under way (logarithmic)",
            "y": "proofs per second; median of rounds",
        },
    ),
    "batch": (
        "batch",
        "seconds per proof",
        {
            "title": "One ChonkBatchVerify\n",
            "x": "proofs in the batch (logarithmic)",
            "y": "seconds per proof; median of rounds",
        },
    ),
}


def draw_all(run: dict[str, Any], folder: Path, suffix: str = "svg") -> None:
    """All pictures of a run."""
    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = "bbipc"  # the same run gives the same bytes
    folder.mkdir(parents=True, exist_ok=True)
    for name, (experiment, quantity, words) in PICTURES.items():
        draw(run, folder / f"{name}.{suffix}", experiment, quantity, words)


def main() -> None:
    """Read and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="what bench/throughput.py --save has written")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--format", choices=("svg", "png"), default="svg")
    arguments = parser.parse_args()
    draw_all(json.loads(arguments.run.read_text()), arguments.folder, arguments.format)


if __name__ == "__main__":
    main()
