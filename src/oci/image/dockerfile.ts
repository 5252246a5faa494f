/** A text inside the Dockerfile that stands for a file (`COPY <<EOF /etc/x`). */
export interface Heredoc {
  readonly name: string;
  readonly content: string;
  /** Whether variables in it are replaced: not where its name is quoted. */
  readonly isExpanded: boolean;
}

/** One instruction, its continued lines joined and their comments left out. Lines start at 1. */
export interface Instruction {
  /** In upper case. */
  readonly keyword: string;
  /** `--from=build` is `{from: "build"}`; one without a value is `true`. */
  readonly flags: Readonly<Record<string, string>>;
  /** Each `--mount` of a RUN. */
  readonly mounts: readonly string[];
  /** What follows keyword and flags. */
  readonly text: string;
  /** The members of the JSON form (`["a", "b"]`), where it is one. */
  readonly json?: readonly string[];
  readonly heredocs: readonly Heredoc[];
  readonly line: number;
  /** The last line of the instruction itself; its texts follow. */
  readonly lastLine: number;
}

export interface Dockerfile {
  /** The escape character: a backslash, or a backtick by directive. */
  readonly escape: string;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile that cannot be built as it is; the message begins with file and line. */
export class DockerfileError extends Error {
  override readonly name = "DockerfileError";
  readonly file: string;
  readonly line: number;
  constructor(at: { readonly file: string; readonly line: number }, says: string) {
    super(`${at.file}:${at.line}: ${says}`);
    this.file = at.file;
    this.line = at.line;
  }
}

const KEYWORDS = new Set(
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(" "),
);

/**
 * Parses a Dockerfile.
 * @throws DockerfileError for unknown instructions and texts without an end
 * @see https://docs.docker.com/reference/dockerfile/
 */
export function parseDockerfile(text: string, file: string): Dockerfile {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const escape = directive(lines, "escape") ?? "\\";
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length;) {
    const { joined, next } = logicalLine(lines, at, escape);
    const line = at + 1;
    at = next;
    if (joined.trim() === "" || joined.trimStart().startsWith("#")) continue;
    const instruction = { ...readInstruction(joined, { file, line }), lastLine: next };
    const { heredocs, end } = readHeredocs(instruction, lines, { file, at: next });
    instructions.push({ ...instruction, heredocs });
    at = end;
  }
  return { escape, instructions };
}

/** Reads one instruction that stands alone, as in an image's ONBUILD. */
export function parseInstruction(text: string, at: { readonly file: string; readonly line: number }): Instruction {
  return { ...readInstruction(text, at), lastLine: at.line, heredocs: [] };
}

/** Directives are comments before everything else (`# escape=` and a backtick). */
function directive(lines: readonly string[], name: string): string | undefined {
  for (const line of lines) {
    const match = /^#\s*([a-z]+)\s*=\s*(\S+)\s*$/i.exec(line);
    if (!match) return undefined;
    if (match[1]?.toLowerCase() === name) return match[2];
  }
  return undefined;
}

/** Joins continued lines. Comments and blank lines between them are left out, as Docker does. */
function logicalLine(lines: readonly string[], start: number, escape: string): { readonly joined: string; readonly next: number } {
  const ending = new RegExp(`\\${escape}[ \\t]*$`);
  let joined = "";
  let at = start;
  for (; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const isFirst = at === start;
    if (!isFirst && /^\s*(#|$)/.test(line)) continue;
    if (isFirst && /^\s*#/.test(line)) return { joined: line, next: at + 1 };
    if (!ending.test(line)) return { joined: joined + line, next: at + 1 };
    joined += line.replace(ending, "");
  }
  return { joined, next: at };
}

interface Place {
  readonly file: string;
  readonly line: number;
}

function readInstruction(text: string, place: Place): Omit<Instruction, "heredocs" | "lastLine"> {
  const [, word = "", after = ""] = /^\s*(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  const keyword = word.toUpperCase();
  if (!KEYWORDS.has(keyword)) throw new DockerfileError(place, `"${word}" is not an instruction of a Dockerfile`);
  let rest = after.trim();
  const flags: Record<string, string> = {};
  const mounts: string[] = [];
  for (let flag = FLAG.exec(rest); flag; flag = FLAG.exec(rest)) {
    flags[flag[1] ?? ""] = flag[2] ?? "true";
    if (flag[1] === "mount") mounts.push(flag[2] ?? "");
    rest = rest.slice(flag[0].length);
  }
  if (rest === "" && keyword !== "RUN") throw new DockerfileError(place, `${keyword} needs an argument`);
  const json = jsonForm(rest);
  return { keyword, flags, mounts, text: rest, line: place.line, ...(json ? { json } : {}) };
}

const FLAG = /^--([a-z-]+)(?:=(\S*))?(?:\s+|$)/;

function jsonForm(text: string): readonly string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
  } catch {
    // Docker takes what is not JSON for the shell form.
    return undefined;
  }
}

/** Instructions that may be followed by texts (BuildKit's "here-documents"). */
const WITH_HEREDOCS = new Set(["COPY", "ADD", "RUN"]);
const HEREDOC = /<<(-?)(["']?)([A-Za-z_][\w.]*)\2/g;

function readHeredocs(
  instruction: Omit<Instruction, "heredocs" | "lastLine">,
  lines: readonly string[],
  { file, at }: { readonly file: string; readonly at: number },
) {
  const heredocs: Heredoc[] = [];
  let end = at;
  const found = WITH_HEREDOCS.has(instruction.keyword) && !instruction.json ? instruction.text.matchAll(HEREDOC) : [];
  for (const [, dash, quote, name = ""] of found) {
    const start = end;
    while (end < lines.length && (dash ? lines[end]?.replace(/^\t+/, "") : lines[end]) !== name) end += 1;
    if (end >= lines.length)
      throw new DockerfileError({ file, line: instruction.line }, `the text <<${name} has no line ${name} at its end`);
    const content = lines
      .slice(start, end)
      .map((line) => `${dash ? line.replace(/^\t+/, "") : line}\n`)
      .join("");
    heredocs.push({ name, content, isExpanded: quote === "" });
    end += 1;
  }
  return { heredocs, end };
}
