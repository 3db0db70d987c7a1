"""The README's figures: written from committed JSON, and computed again from the shipped weights.

python -m experiments.results          compute again what fits in minutes, compare
python -m experiments.results --write  write the tables of README.md from docs/results/*.json
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import tyro

from experiments.pages import replaced
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.tables import COLUMNS
from pixelpush.eval.speed.videos import reference_row, sampler_rows
from pixelpush.files import atomic_file, read_json

# A JSON report of docs/results, as the command that made it wrote it.
Report: TypeAlias = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
# Nats per sub-pixel of one episode: float32 on another CPU rounds differently.
TOLERANCE = 1e-3
REFERENCE = "reference row: around the previous frame"
_GRAPHS = {
    "none": "In one graph: not measured.",
    "compile": "One graph: the frame step compiled by `torch.compile`; a CUDA graph needs CUDA.",
    "cuda": "One graph: a CUDA graph of the frame step.",
}


@dataclass(frozen=True)
class Options:
    """What to do."""

    write: bool = False
    """Write README.md's tables from the committed JSON instead of computing anything."""
    episodes: int = 4
    """Episodes of each split that are scored again."""
    root: Path = ROOT
    """A checkout of the project."""


def main(options: Options) -> None:
    results = options.root / "docs" / "results"
    reports = read_reports(results)
    readme = options.root / "README.md"
    tables = markdown(reports)
    if options.write:
        with atomic_file(readme) as partial:
            partial.write_text(replace_tables(readme.read_text(), tables))
        return
    if replace_tables(readme.read_text(), tables) != readme.read_text():
        raise InputError(
            f"{readme}: its tables are not those of docs/results; run this with --write."
        )
    check_likelihood(reports["table2"], options.episodes)


def read_reports(results: Path) -> Report:
    """The committed reports by name, 'table2' and those others that are there; quality's, one for
    each model and split, as a list."""
    reports: Report = {"table2": read_json(results / "table2.json")}
    for name in ("equal", "speed"):
        if (results / f"{name}.json").exists():
            reports[name] = read_json(results / f"{name}.json")
    quality = [read_json(path) for path in sorted(results.glob("quality/*.json"))]
    return {**reports, "quality": quality} if quality else reports


def check_likelihood(report: Report, episodes: int) -> None:
    """Score the first episodes of every split again with the shipped weights, against the committed
    values."""
    from pixelpush.datasets import open_dataset
    from pixelpush.vpn import load_model
    from pixelpush.vpn.scoring import score_episodes

    protocol = report["protocol"]
    for entry in report["models"]:
        model = load_model(entry["name"], family="video")
        for split, found in entry["splits"].items():
            # The simulated bin's first episodes are the same however many are made.
            part = open_dataset("sim", split, size=model.config.frame_size, episodes=episodes)
            scores = score_episodes(model, part, protocol["context"], protocol["clip_frames"])
            for score, committed in zip(scores, found["per_episode"], strict=False):
                value, expected = score.nats / score.subpixels, committed["nats_per_subpixel"]
                if score.id != committed["id"] or abs(value - expected) > TOLERANCE:
                    raise InputError(
                        f"{entry['name']}, {split}, episode {score.id}: {value:.5f} nats per "
                        "sub-pixel, committed is "
                        f"{expected:.5f} for {committed['id']} (tolerance {TOLERANCE})."
                    )
            print(
                f"{entry['name']}, {split}: {len(part)} episodes as committed, within {TOLERANCE}"
            )


def markdown(reports: Report) -> str:
    """The README's section of results: shipped models, kinds trained alike, frame quality, the
    samplers' speed."""
    parts = ["The shipped models:", likelihood_markdown(reports["table2"])]
    if "equal" in reports:
        parts += [
            f"After {reports['equal']['examples']:,} clips each, from the same learnt drawing:",
            equal_markdown(reports["equal"]),
        ]
    if "quality" in reports:
        parts += [
            "Frames of sampled futures against the truth:",
            quality_markdown(reports["quality"]),
        ]
    if "speed" in reports:
        parts += ["Speed of the samplers:", speed_markdown(reports["speed"])]
    return "\n\n".join(parts)


def likelihood_markdown(report: Report) -> str:
    """Table 2 on the simulated bin: nats per sub-pixel and distance to the floor."""
    splits = list(report["splits"])
    lines = [
        _row(["", *(str(COLUMNS.get(name, name)) for name in splits)]),
        _row(["---", *["---:"] * len(splits)]),
    ]
    entries = [
        (f"`{entry['name']}` ({entry['parameters'] / 1e6:.2f}M)", entry["splits"])
        for entry in report["models"]
    ]
    if report["reference"] is not None:
        entries.append((REFERENCE, report["reference"]["splits"]))
    for name, found in entries:
        lines.append(_row([name, *(_likelihood_cell(found[split]) for split in splits)]))
    floors = [report["splits"][split]["floor"] for split in splits]
    if all(floors):
        lines.append(
            _row(["noise floor", *(f"{floor['nats_per_subpixel']:.3f}" for floor in floors)])
        )
    counted = ", ".join(f"{report['splits'][split]['episodes']} {split}" for split in splits)
    note = (
        "Nats per sub-pixel ± one standard error over episodes; in brackets the distance to the "
        "noise floor, which no "
        f"model can beat. Episodes: {counted}; {report['protocol']['context']} frames given and "
        "not counted. One seed."
    )
    return "\n".join([*lines, "", note])


def equal_markdown(report: Report) -> str:
    """The kinds trained alike: nats per sub-pixel, distance to the floor, and the rise from val to
    the unseen arm."""
    splits = list(report["floor"])
    lines = [_row(["", *(COLUMNS[name] for name in splits), "Val to Ts-seen", "seeds"])]
    lines.append(_row(["---", *["---:"] * (len(splits) + 2)]))
    for row in report["rows"]:
        alone = row["runs"][0]["splits"] if len(row["runs"]) == 1 else {}
        cells = [
            _seeds_cell(alone.get(name, row["summary"][name]), report["floor"][name])
            for name in splits
        ]
        name = (
            f"`{' '.join((row['preset'], *row['options']))}` ({row['parameters'] / 1e6:.2f}M) "
            f"on {row['data']}"
        )
        lines.append(
            _row([name, *cells, _seeds_cell(row["summary"]["drop"]), str(len(row["runs"]))])
        )
    reference = report["reference"]
    cells = [_seeds_cell(reference[name], report["floor"][name]) for name in splits]
    drop = {
        "mean": reference["test-seen"]["mean"] - reference["val"]["mean"],
        "standard_error": None,
    }
    lines.append(_row([REFERENCE, *cells, _seeds_cell(drop), ""]))
    note = (
        "Nats per sub-pixel, in brackets the distance to the noise floor; the first "
        f"{report['episodes']} episodes of each split, the same for all rows. ±: one standard "
        "error, over episodes "
        "where one seed was trained, of the mean over seeds where several were."
    )
    return "\n".join([*lines, "", note])


def quality_markdown(reports: list[Report]) -> str:
    """PSNR and SSIM of rollouts, mean over the horizon: of all samples, of the best one, of the
    last frame repeated."""
    measures = ("psnr", "ssim")
    curves = ("mean", "best", "copy")
    heads = [f"{name.upper()} {curve}" for name in measures for curve in curves]
    lines = [_row(["", *heads]), _row(["---", *["---:"] * len(heads)])]
    for report in reports:
        name = f"`{report['model']}`, {report['split']}, temperature {report['temperature']:g}"
        values = [report[measure][curve]["mean"] for measure in measures for curve in curves]
        cells = [
            f"{value:.2f}" if place < len(curves) else f"{value:.3f}"
            for place, value in enumerate(values)
        ]
        lines.append(_row([name, *cells]))
    first = reports[0]
    note = (
        f"{first['episodes']} episodes each, {first['samples']} samples, {first['steps']} frames, "
        f"{first['states']} "
        "states; PSNR in dB. mean: of all samples; best: of the sample nearest to the truth; "
        "copy: the last given "
        "frame, repeated. The truth carries sensor noise: 48 dB is what its clean render would "
        "have."
    )
    return "\n".join([*lines, "", note])


def speed_markdown(report: Report) -> str:
    """Table 4: seconds a sampled frame."""
    size = report["table_size"]
    found = {(t["kind"], t["sampler"]): t for t in report["timings"] if t["size"] == size}
    slow = found[reference_row()]
    lines = [
        _row(["", "seconds a frame", "speed-up", "steps a frame"]),
        _row(["---", "---:", "---:", "---:"]),
    ]
    for kind, sampler in sampler_rows():
        words = f"{kind.label}{sampler.words}"
        timing = found.get((kind.name, sampler.name))
        if timing is not None:
            seconds = timing["seconds_per_frame"]
            mark = " (extrapolated)" if timing["extrapolated_from_steps"] else ""
            shown = f"{seconds:,.0f}" if seconds > 100 else f"{seconds:.3g}"
            faster = f"{slow['seconds_per_frame'] / seconds:,.0f}x"
            lines.append(_row([words, f"{shown}{mark}", faster, f"{timing['sequential_steps']:,}"]))
    settings = report["settings"]
    note = (
        f"{size}x{size}, batch {settings['batch']}, at most {settings['videos']} videos of "
        f"{settings['frames']} frames, fewer where a sampler is slow; "
        f"`{report['preset']}` sizes, {report['hardware']}. {_GRAPHS[settings['graph']]}"
    )
    return "\n".join([*lines, "", note])


def replace_tables(readme: str, tables: str) -> str:
    """README text with everything between the two marks replaced."""
    return replaced(readme, "results", f"\n\n{tables}\n\n", "README.md")


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _seeds_cell(found: Report, floor: float | None = None) -> str:
    value = f"{found['mean']:+.3f}" if floor is None else f"{found['mean']:.3f}"
    if found["standard_error"] is not None:
        value += f" ± {found['standard_error']:.3f}"
    return value if floor is None else f"{value} ({found['mean'] - floor:+.3f})"


def _likelihood_cell(found: Report) -> str:
    value = f"{found['nats_per_subpixel']:.3f}"
    if found["standard_error"] is not None:
        value += f" ± {found['standard_error']:.3f}"
    above = found["above_floor"]
    return value if above is None else f"{value} ({above['nats_per_subpixel']:+.3f})"


if __name__ == "__main__":
    try:
        main(tyro.cli(Options, description=__doc__))
    except InputError as error:
        print(f"results: {error}", file=sys.stderr)
        sys.exit(2)
