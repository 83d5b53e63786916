"""Numbers: medians and spreads, the table that is printed, the JSON that is kept."""

import datetime
import json
import os
import pathlib
import statistics


def summary(samples: list[float]) -> dict:
    """Median and spread: half the distance between the quartiles, as a share of the median."""
    if not samples:
        return {"median": None, "spread": None, "samples": 0}
    median = statistics.median(samples)
    quartiles = statistics.quantiles(samples, n=4) if len(samples) > 3 else [median] * 3
    spread = (quartiles[2] - quartiles[0]) / 2 / abs(median) if median else 0.0
    return {"median": median, "spread": round(spread, 3), "samples": len(samples)}


def ratio(ours: dict | None, theirs: dict | None) -> float | None:
    if not ours or not theirs or ours["median"] is None or not theirs["median"]:
        return None
    return ours["median"] / theirs["median"]


def shown(figure: dict | None) -> str:
    if not figure or figure["median"] is None:
        return "-"
    return f"{figure['median']:.4g} ±{figure['spread'] * 100:.0f}%"


class Table:
    """Rows of one benchmark: a case and what each contestant needed for it."""

    def __init__(self, name: str, contestants: list[str]) -> None:
        self.name = name
        self.contestants = contestants
        self.rows: list[dict] = []

    def add(self, case: str, unit: str, samples: dict[str, list[float]], note: str = "") -> None:
        self.rows.append({"case": case, "unit": unit, "note": note} | {who: summary(found) for who, found in samples.items()})

    def print(self) -> None:
        """Columns: each contestant, then kawk's ratio to each of the others."""
        others = [who for who in self.contestants if who != "kawk"]
        titles = ["case", "unit", *self.contestants, *[f"kawk/{who}" for who in others], ""]
        lines = [titles]
        for row in self.rows:
            ratios = [ratio(row.get("kawk"), row.get(who)) for who in others]
            lines.append([row["case"], row["unit"], *[shown(row.get(who)) for who in self.contestants],
                          *["-" if value is None else f"{value:.3f}" for value in ratios], row["note"]])
        widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
        print(f"\n{self.name}")
        for line in lines:
            print("  " + "  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())

    def save(self, folder: pathlib.Path, versions: dict[str, str]) -> None:
        """Keeps the figures, with what is needed to understand them and nothing that names the machine."""
        folder.mkdir(parents=True, exist_ok=True)
        cpu = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                    if line.startswith("model name")), os.uname().machine)
        facts = {"date": datetime.date.today().isoformat(), "kernel": os.uname().release, "cpu": cpu, "cpus": os.cpu_count(),
                 "load": round(os.getloadavg()[0], 2), "versions": versions}
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps({"benchmark": self.name, "machine": facts, "rows": self.rows}, indent=1) + "\n")
