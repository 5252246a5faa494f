const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** A number of bytes for people, in units of a thousand: `0 B`, `812 B`, `1.5 MB`. */
export function readableSize(bytes: number): string {
  // What would be written as a thousand of a unit is one of the next.
  const power = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes * (1 + 0.5e-4)) / 3));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${UNITS[power]}`;
}
