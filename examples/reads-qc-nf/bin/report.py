#!/usr/bin/env python3
"""Joins the statistics of all samples: a table, the same as JSON, and a page that needs nothing else."""

import argparse
import html
import json
import sys

COLUMNS = ("sample", "stage", "reads", "bases", "mean_length", "gc", "q30", "with_adapter", "duplicates")
COLOURS = {"raw": "#b0543f", "trimmed": "#2f6f8f"}


def main():
    options = arguments()
    found = [read(path) for path in options.statistics]
    rows = sorted((one for one in found if one["stage"] != "trimming"), key=lambda one: (one["sample"], one["stage"]))
    trimming = {one["sample"]: one for one in found if one["stage"] == "trimming"}
    write(options.table, "\n".join("\t".join(line) for line in table(rows)) + "\n")
    write(options.summary, json.dumps(summary(rows, trimming), indent=2, sort_keys=True) + "\n")
    write(options.page, page(rows, trimming))
    return 0


def table(rows):
    return [COLUMNS, *(tuple(str(row[column]) for column in COLUMNS) for row in rows)]


def summary(rows, trimming):
    samples = {}
    for row in rows:
        samples.setdefault(row["sample"], {})[row["stage"]] = {column: row[column] for column in COLUMNS[2:]}
    for sample, counts in trimming.items():
        samples[sample]["too_short"] = counts["too_short"]
        samples[sample]["kept"] = round(1 - counts["too_short"] / counts["reads"], 4) if counts["reads"] else 0
    return {"samples": samples}


def page(rows, trimming):
    head, *body = table(rows)
    cells = lambda row, tag: "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
    plots = "".join(plot(sample, [row for row in rows if row["sample"] == sample]) for sample in sorted(trimming))
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Quality of reads</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
table {{ border-collapse: collapse; width: 100% }} th, td {{ padding: .3rem .6rem; border-bottom: 1px solid #ddd; text-align: right }}
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) {{ text-align: left }}
figure {{ margin: 2rem 0 }} svg {{ width: 100%; height: auto }} text {{ font: 11px system-ui, sans-serif; fill: #555 }}
</style>
<h1>Quality of reads</h1>
<table>{cells(head, "th")}{"".join(cells(row, "td") for row in body)}</table>
{plots}
</html>
"""


def plot(sample, rows):
    """Mean quality by cycle, before and after trimming, as SVG."""
    cycles = max((len(row["quality_by_cycle"]) for row in rows), default=1)
    across = lambda cycle: 40 + 740 * cycle / max(1, cycles - 1)
    up = lambda quality: 190 - 170 * quality / 40
    grid = "".join(f'<path d="M40 {up(q):.0f}H780" stroke="#ddd"/><text x="10" y="{up(q) + 4:.0f}">Q{q}</text>' for q in (0, 10, 20, 30, 40))
    lines = "".join(
        f'<polyline fill="none" stroke="{COLOURS[row["stage"]]}" stroke-width="2" points="'
        + " ".join(f"{across(cycle):.1f},{up(quality):.1f}" for cycle, quality in enumerate(row["quality_by_cycle"]))
        + '"/>'
        for row in rows
    )
    legend = "".join(f'<text x="{600 + 90 * at}" y="14" style="fill:{COLOURS[row["stage"]]}">{html.escape(row["stage"])}</text>' for at, row in enumerate(rows))
    title = f"Mean quality by cycle, {html.escape(sample)}"
    return f'<figure><figcaption>{title}</figcaption><svg viewBox="0 0 800 210" role="img" aria-label="{title}">{grid}{lines}{legend}</svg></figure>'


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True)
    parser.add_argument("--summary", required=True)
    parser.add_argument("--page", required=True)
    parser.add_argument("statistics", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
