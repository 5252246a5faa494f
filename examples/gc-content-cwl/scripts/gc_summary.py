"""Joins windows of gc_windows.awk: gc.tsv has a line for each sequence, gc.json the same and where GC content changes most."""

import json
import sys


def main(paths):
    sequences = {}
    for path in sorted(paths):
        with open(path, encoding="ascii") as file:
            for line in file:
                name, *numbers = line.rstrip("\n").split("\t")
                sequences.setdefault(name, []).append([int(number) for number in numbers])
    rows = [describe(name, windows) for name, windows in sorted(sequences.items())]
    with open("gc.tsv", "w", encoding="ascii") as file:
        print("SEQUENCE", "LENGTH", "UNKNOWN", "GC", "SKEW", sep="\t", file=file)
        for row in rows:
            print(row["sequence"], row["length"], row["unknown"], f"{row['gc']:.4f}", f"{row['skew']:.4f}", sep="\t", file=file)
    with open("gc.json", "w", encoding="ascii") as file:
        json.dump({"sequences": rows}, file, indent=2)


def describe(name, windows):
    length = windows[-1][1]
    g, c, known = (sum(window[column] for window in windows) for column in (2, 3, 4))
    found = {
        "sequence": name,
        "length": length,
        "unknown": length - known,
        "gc": share(g + c, known),
        "skew": share(g - c, g + c),
    }
    return {**found, **boundary(windows)}


def boundary(windows):
    """The border of windows that leaves the least scatter around the means of both sides, and these means."""
    shares = [share(g + c, known) for _, _, g, c, known in windows if known]
    borders = [window[0] for window in windows if window[4]]
    if len(shares) < 4:
        return {}
    total, left, best = sum(shares), 0.0, None
    for at in range(1, len(shares)):
        left += shares[at - 1]
        # The scatter within is least where the scatter between the two sides is greatest.
        between = left * left / at + (total - left) ** 2 / (len(shares) - at)
        if best is None or between > best[0]:
            best = (between, at, left / at, (total - left) / (len(shares) - at))
    _, at, before, after = best
    return {"boundary": borders[at], "gc_before": round(before, 4), "gc_after": round(after, 4)}


def share(amount, of):
    return round(amount / of, 6) if of else 0.0


if __name__ == "__main__":
    main(sys.argv[1:])
