const LAST_LINES = 20;
const LONGEST_LINE = 400;
const LONGEST = 3600;

/** The end of what a program said, as a reason can carry it: a line may be a whole RUN, and the last ones say why. */
export function lastLines(lines: readonly string[]): string {
  const last = lines
    .filter((line) => line.trim() !== "")
    .slice(-LAST_LINES)
    .map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE / 2)} … ${line.slice(-LONGEST_LINE / 2)}` : line));
  while (last.length > 1 && last.join("\n").length > LONGEST) last.shift();
  return last.join("\n");
}
