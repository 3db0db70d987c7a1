"""The long attack: damaged inputs of every kind, and commands killed at random moments.

python -m experiments.attack --inputs 100000 --kills 1000

It may be stopped and started again at any time: totals lie in the work folder, and case n is the
same whenever it runs. Exit code 1 where anything slipped through; each such case is kept, with its
bytes, in the work folder."""

from __future__ import annotations

import functools
import resource
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import tyro

from experiments.attack.targets import Target, episodes, refused_or_right, targets, tiny_model
from experiments.pages import fill
from pixelpush.datasets.store import write_store
from pixelpush.files import atomic_file, read_json_object, write_json
from pixelpush.vpn import save_model

KILLS_AT_ONCE = 10
# Events that reading a file never causes.
_FOREIGN = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect")


@dataclass(frozen=True)
class Options:
    """How much to attack, and where."""

    inputs: int = 100_000
    """Damaged inputs, in all."""
    kills: int = 1_000
    """Killed commands, in all."""
    work: Path = Path("out/attack")
    """Folder for files, totals and what slipped through."""
    page: Path | None = None
    """Markdown page whose table of totals is replaced; None for none."""


@dataclass
class Totals:
    """What has been done, by target: counts of 'accepted', 'refused' and 'slipped'; kills by
    command; the most memory that the process took."""

    inputs: dict[str, dict[str, int]] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    peak_megabytes: int = 0

    @classmethod
    def read(cls, path: Path) -> Totals:
        """Those of an earlier call, or none."""
        return cls(**read_json_object(path)) if path.is_file() else cls()

    @property
    def done(self) -> int:
        return sum(sum(counts.values()) for counts in self.inputs.values())

    def note(self, target: str, outcome: str) -> None:
        counts = Counter(self.inputs.get(target, {}))
        counts[outcome] += 1
        self.inputs[target] = dict(counts)


@functools.cache
def _foreign() -> list[str]:
    """The foreign events of this process so far. Cached, because a hook cannot be removed."""
    seen: list[str] = []
    sys.addaudithook(lambda event, arguments: event in _FOREIGN and seen.append(event))
    return seen


def attack_inputs(options: Options, totals: Totals) -> None:
    """Damage one file after another, read it, and restore it."""
    found = targets(options.work / "files")
    intact = {target.name: target.file.read_bytes() for target in found}
    foreign = _foreign()
    for case in range(totals.done, options.inputs):
        target = found[case % len(found)]
        changed = target.damage(intact[target.name], np.random.default_rng(case))
        target.file.write_bytes(changed)
        foreign.clear()
        outcome = refused_or_right(target)
        target.file.write_bytes(intact[target.name])
        if foreign:
            outcome = f"code ran: {foreign.pop()}"
        if outcome not in ("accepted", "refused"):
            _keep(options.work, case, target, changed, outcome)
            outcome = "slipped"
        totals.note(target.name, outcome)
        if case % 500 == 499:
            _save(options, totals)
    _save(options, totals)


def _keep(work: Path, case: int, target: Target, changed: bytes, outcome: str) -> None:
    print(f"case {case}, {target.name}: {outcome}", file=sys.stderr)
    with atomic_file(work / "slipped" / f"{case}{target.file.suffix}") as partial:
        partial.write_bytes(changed)


def _save(options: Options, totals: Totals) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    totals.peak_megabytes = max(totals.peak_megabytes, peak)
    write_json(options.work / "totals.json", vars(totals))


def commands(work: Path) -> dict[str, tuple[Path, list[str]]]:
    """The commands that are killed: (result, words) by name."""
    raw = work / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for episode in episodes():
        frames = episode.frames.transpose(0, 2, 3, 1)
        arrays = {"frames": frames, "states": episode.states, "actions": episode.actions}
        np.savez(raw / f"{episode.id}.npz", **arrays)
    store = work / "store"
    if not store.exists():
        write_store(store, {"train": episodes(), "test": episodes()[:1]}, {})
    model = work / "model"
    if not model.exists():
        save_model(tiny_model(), model)
    out = work / "results"
    out.mkdir(exist_ok=True)
    made = out / "made"
    prepare = ["prepare", "folder", "--raw", str(raw), "--out", str(made), "--size", "8"]
    given = ["--model", str(model), "--data", str(store), "--split", "test"]
    nll = ["nll", *given, "--no-reference", "--quiet", "--json", str(out / "nll.json")]
    futures = work / "futures"
    rollout = ["rollout", *given, "--out", str(futures), "--samples", "1", "--quiet"]
    return {
        "prepare folder --overwrite": (made, [*prepare, "--split", "2/1/0", "--overwrite"]),
        "nll --json": (out / "nll.json", nll),
        "rollout": (futures / "rollout.json", rollout),
    }


def attack_commands(options: Options, totals: Totals) -> None:
    """Kill each command in turn, a few times in one process."""
    found = commands(options.work / "commands")
    script = Path(__file__).with_name("kills.py")
    while (done := sum(totals.kills.values())) < options.kills:
        name = list(found)[done // KILLS_AT_ONCE % len(found)]
        result, words = found[name]
        count = min(KILLS_AT_ONCE, options.kills - done)
        command = [str(script), "--random", str(count), str(done), str(result.parent), str(result)]
        ended = subprocess.run(
            [sys.executable, *command, *words], capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise SystemExit(f"{name}, from kill {done}: {ended.stderr}")
        totals.kills[name] = totals.kills.get(name, 0) + count
        _save(options, totals)


def table(totals: Totals) -> str:
    """The totals as Markdown."""
    lines = [
        "| attacked | inputs | refused | accepted and right | slipped through |",
        "|---" * 5 + "|",
    ]
    for name, counts in totals.inputs.items():
        numbers = [sum(counts.values()), *(counts.get(k, 0) for k in _OUTCOMES)]
        lines.append(f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} |")
    sums = [totals.done, *(_sum(totals, outcome) for outcome in _OUTCOMES)]
    lines.append(f"| all | {' | '.join(f'{number:,}' for number in sums)} |")
    lines += [
        "",
        "| killed at random moments | kills | broken results, leftovers |",
        "|---|---|---|",
    ]
    lines += [f"| `{name}` | {count:,} | 0 |" for name, count in totals.kills.items()]
    return "\n".join(lines)


_OUTCOMES = ("refused", "accepted", "slipped")


def _sum(totals: Totals, outcome: str) -> int:
    return sum(counts.get(outcome, 0) for counts in totals.inputs.values())


def said(totals: Totals) -> str:
    """The tables, the memory, and what of the whole attack remains."""
    lines = [table(totals), "", f"Most memory that the process took: {totals.peak_megabytes:,} MB."]
    whole = Options()
    inputs = max(0, whole.inputs - totals.done)
    kills = max(0, whole.kills - sum(totals.kills.values()))
    if inputs or kills:
        lines.append(
            f"Of the whole attack, {whole.inputs:,} inputs and {whole.kills:,} kills, {inputs:,} "
            f"inputs and {kills:,} kills remain."
        )
    return "\n".join(lines)


def main(options: Options) -> None:
    """Attack, print the totals, and exit with 1 where anything slipped through."""
    torch.set_num_threads(1)
    totals = Totals.read(options.work / "totals.json")
    # Inputs and kills take turns, so that an attack that was stopped early has both.
    parts = max(1, options.kills // KILLS_AT_ONCE)
    for part in range(1, parts + 1):
        inputs, kills = (count * part // parts for count in (options.inputs, options.kills))
        attack_inputs(replace(options, inputs=inputs), totals)
        attack_commands(replace(options, kills=kills), totals)
    print(said(totals))
    if options.page is not None:
        fill(options.page, {"attack": said(totals)})
    if _sum(totals, "slipped"):
        raise SystemExit(1)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
