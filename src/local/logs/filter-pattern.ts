import { AwsError } from "../gateway/aws-error.ts";
import { invalidParameter } from "./errors.ts";
import { compileJsonSelector } from "./json-selector.ts";

/**
 * Compiles a filter pattern into a test of a message.
 * @throws AwsError InvalidParameterException for a pattern that AWS would not read
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function compileFilterPattern(pattern: string): (message: string) => boolean {
  const text = pattern.trim();
  if (text === "") return () => true;
  if (text.startsWith("["))
    throw new AwsError(501, "NotImplemented", "the local accounts do not implement space-delimited filter patterns");
  if (text.startsWith("{")) return compileJsonSelector(text);
  return compileTerms(text);
}

interface Term {
  readonly sign: "" | "-" | "?";
  matches(message: string): boolean;
}

// A term is a word, a "phrase" or a %regular expression%, with `-` to leave out or `?` for one of several.
const TERM = /([-?]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s"%]+))/y;

function compileTerms(text: string): (message: string) => boolean {
  const terms = readTerms(text);
  const [needed, excluded, optional] = (["", "-", "?"] as const).map((sign) => terms.filter((term) => term.sign === sign));
  return (message) => {
    const has = (term: Term): boolean => term.matches(message);
    if (excluded?.some(has) || !needed?.every(has)) return false;
    // Beside a term that must be there, AWS ignores those that may be.
    return needed.length > 0 || optional === undefined || optional.length === 0 || optional.some(has);
  };
}

function readTerms(text: string): readonly Term[] {
  const terms: Term[] = [];
  TERM.lastIndex = 0;
  for (let at = 0; at < text.length;) {
    const space = /\s*/y;
    space.lastIndex = at;
    space.exec(text);
    if (space.lastIndex >= text.length) break;
    TERM.lastIndex = space.lastIndex;
    const match = TERM.exec(text);
    if (!match) throw invalidParameter(`Invalid character(s) in term '${text.slice(space.lastIndex)}'`);
    terms.push(termOf(match));
    at = TERM.lastIndex;
  }
  return terms;
}

function termOf([, sign = "", phrase, regex, word]: RegExpExecArray): Term {
  const found = phrase?.replace(/\\(.)/g, "$1") ?? word ?? "";
  if (regex === undefined) return { sign: sign as Term["sign"], matches: (message) => message.includes(found) };
  try {
    const compiled = new RegExp(regex);
    return { sign: sign as Term["sign"], matches: (message) => compiled.test(message) };
  } catch {
    throw invalidParameter(`Invalid regular expression '${regex}'`);
  }
}
