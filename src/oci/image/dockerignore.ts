/** Whether a path of the build context (without a slash in front) is kept out of the image. */
export type Ignored = (path: string) => boolean;

/**
 * Reads a `.dockerignore`: one pattern a line, `!` takes back what an earlier line left out, `**` stands for any number
 * of folders. A pattern that fits a folder fits everything below it.
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function parseDockerignore(text: string): Ignored {
  const rules = text.split(/\r?\n/).flatMap((line) => {
    const pattern = line.trim();
    if (pattern === "" || line.startsWith("#")) return [];
    const isKept = pattern.startsWith("!");
    const clean = cleaned(isKept ? pattern.slice(1).trim() : pattern);
    return clean === "" ? [] : [{ isKept, matches: globPattern(clean) }];
  });
  return (path) => rules.reduce((ignored, { isKept, matches }) => (isBelow(matches, path) ? !isKept : ignored), false);
}

/** A pattern of Go's filepath.Match, and `**`, as a regular expression for whole paths. */
export function globPattern(pattern: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? "";
    if (pattern.startsWith("**", at)) {
      const isFolder = pattern[at + 2] === "/";
      source += isFolder ? "(?:.*/)?" : ".*";
      at += isFolder ? 2 : 1;
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[") {
      const end = pattern.indexOf("]", at + 2);
      if (end < 0) source += "\\[";
      else {
        source += `[${pattern.slice(at + 1, end).replace(/\\/g, "\\\\")}]`;
        at = end;
      }
    } else if (char === "\\" && at + 1 < pattern.length) source += escaped(pattern[(at += 1)] ?? "");
    else source += escaped(char);
  }
  return new RegExp(`^${source}$`, "s");
}

/** Whether a text has anything that a pattern could stand for. */
export const isGlob = (text: string): boolean => /[*?[]/.test(text);

const escaped = (char: string): string => char.replace(/[.+^${}()|[\]\\/*?]/g, "\\$&");

/** Slashes at both ends, `.` and `..` mean nothing here. */
const cleaned = (pattern: string): string =>
  pattern
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .reduce<string[]>((parts, part) => (part === ".." ? parts.slice(0, -1) : [...parts, part]), [])
    .join("/");

function isBelow(matches: RegExp, path: string): boolean {
  const parts = path.split("/");
  return parts.some((_, index) => matches.test(parts.slice(0, index + 1).join("/")));
}
