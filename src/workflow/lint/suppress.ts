import type { Diagnostic } from "../inspection.ts";
import type { SourceTree } from "../source-tree.ts";
import { findRule } from "./rules.ts";

/** A finding that a comment in the source takes back, and why. */
export interface Suppressed {
  readonly diagnostic: Diagnostic;
  readonly reason: string;
}

/** What is left of findings after the comments in the sources. */
export interface Judged {
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: readonly Suppressed[];
}

interface Comment {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly rule: string;
  readonly reason: string;
  /** The line it speaks of: its own, or the next one that is no comment when it stands alone. */
  readonly target: number;
}

const COMMENT = /(?:#|\/\/)[ \t]*omx-ignore:[ \t]*([\w-]*),?[ \t]*(.*)$/;
const COMMENT_ONLY = /^\s*(?:#|\/\/)/;

/** A definition's sources, and what was found in them. */
export interface Found {
  readonly diagnostics: readonly Diagnostic[];
  /** Where a comment may stand. */
  readonly files: Iterable<string>;
  /** The main file: its comments speak for JSON files too, which can hold none. */
  readonly main: string;
}

/**
 * Takes back the findings that a comment `# omx-ignore: rule reason` (or `// omx-ignore: …`) names, on the same line or
 * on the lines just above; those of JSON files by a comment anywhere in the main file. A comment without a reason, with an unknown rule or without a finding is a finding itself.
 */
export function suppress(tree: SourceTree, { diagnostics: found, files, main }: Found): Judged {
  const comments = [...new Set(files)].flatMap((file) => commentsIn(file, tree.text(file) ?? ""));
  const valid = comments.filter(({ rule, reason }) => reason !== "" && findRule(rule));
  const answers = (comment: Comment, { rule, file, line }: Diagnostic): boolean =>
    comment.rule === rule &&
    (file.endsWith(".json") ? comment.file === main : comment.file === file && (comment.target === line || comment.line === line));
  const suppressed = found.flatMap((diagnostic) => {
    const comment = valid.find((each) => answers(each, diagnostic));
    return comment ? [{ diagnostic, reason: comment.reason }] : [];
  });
  const taken = new Set(suppressed.map(({ diagnostic }) => diagnostic));
  const unused = valid.filter((comment) => !found.some((diagnostic) => answers(comment, diagnostic)));
  const complaints = [
    ...comments.flatMap(complaint),
    ...unused.map((comment) => told("ignore-unused", comment, `there is no finding of "${comment.rule}" here`)),
  ];
  return { diagnostics: [...found.filter((diagnostic) => !taken.has(diagnostic)), ...complaints], suppressed };
}

function complaint(comment: Comment): readonly Diagnostic[] {
  if (!findRule(comment.rule)) return [told("ignore-unknown-rule", comment, `there is no rule "${comment.rule}"`)];
  return comment.reason === ""
    ? [told("ignore-without-reason", comment, `write why "${comment.rule}" does not matter here, after its name`)]
    : [];
}

const told = (rule: string, { file, line, column }: Comment, message: string): Diagnostic => ({
  rule,
  severity: findRule(rule)?.severity ?? "error",
  file,
  line,
  column,
  message,
});

function commentsIn(file: string, text: string): readonly Comment[] {
  if (!text.includes("omx-ignore:")) return [];
  const lines = text.split(/\r?\n/);
  return lines.flatMap((line, index) => {
    const match = COMMENT.exec(line);
    if (!match) return [];
    const [, rule = "", reason = ""] = match;
    const target = COMMENT_ONLY.test(line) ? nextCode(lines, index) : index;
    return [{ file, line: index + 1, column: match.index + 1, rule, reason: reason.replace(/\*\/\s*$/, "").trim(), target: target + 1 }];
  });
}

function nextCode(lines: readonly string[], from: number): number {
  const next = lines.findIndex((line, index) => index > from && !COMMENT_ONLY.test(line));
  return next === -1 ? from : next;
}
