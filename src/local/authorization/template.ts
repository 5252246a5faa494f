import type { ConditionValues } from "./condition-values.ts";

// Wildcards become private-use characters, so that a `*` in the value of a policy variable stays a star.
const ANY = "\uE000";
const ONE = "\uE001";
const ANY_CODE = 0xe000;
const ONE_CODE = 0xe001;

type Part = string | Variable;

interface Variable {
  readonly key: string;
  readonly fallback: string | undefined;
}

/** A text of a policy with wildcards and policy variables, ready to be matched. */
export interface Template {
  /**
   * Whether the text matches.
   * @returns undefined when a policy variable has no single value in the request and no default
   */
  matches(text: string, values: ConditionValues): boolean | undefined;
}

/** How a template is read: `variables` is off for policies older than 2012-10-17, `wildcards` for StringEquals. */
export interface Reading {
  readonly variables: boolean;
  readonly wildcards: boolean;
}

/**
 * Compiles a text with `*`, `?` and `${key, 'default'}`.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export const compileTemplate = (text: string, reading: Reading): Template => fromParts(parse(text, reading));

/**
 * Compiles the pattern of an ARN. Where it has all six segments, each of them is matched alone, so that a wildcard
 * reaches no further than its segment; a shorter pattern is matched as a whole.
 */
export function compileArnTemplate(text: string, reading: Reading): Template {
  if (text === "*") return { matches: () => true };
  const segments = splitParts(parse(text, reading));
  if (segments.length < 6) return fromParts(segments.flatMap((segment, index) => (index === 0 ? segment : [":", ...segment])));
  const templates = segments.map(fromParts);
  const isConstant = segments.flat().every((part) => typeof part === "string" && !hasWildcard(part));
  if (isConstant) return { matches: (arn) => arn === text };
  return { matches: (arn, values) => matchSegments(templates, arn, values) };
}

function matchSegments(templates: readonly Template[], arn: string, values: ConditionValues): boolean | undefined {
  let start = 0;
  for (let index = 0; index < templates.length; index++) {
    const isLast = index === templates.length - 1;
    const end = isLast ? arn.length : arn.indexOf(":", start);
    if (end < 0) return false;
    const matched = (templates[index] as Template).matches(arn.slice(start, end), values);
    if (matched !== true) return matched;
    start = end + 1;
  }
  return true;
}

// The sixth part of an ARN holds colons of its own.
function splitParts(parts: readonly Part[]): Part[][] {
  const segments: Part[][] = [[]];
  const last = (): Part[] => segments[segments.length - 1] as Part[];
  for (const part of parts) {
    if (typeof part !== "string") {
      last().push(part);
      continue;
    }
    const pieces = part.split(":");
    pieces.forEach((piece, index) => {
      if (index > 0 && segments.length < 6) segments.push([]);
      else if (index > 0) last().push(":");
      if (piece !== "") last().push(piece);
    });
  }
  return segments;
}

const VARIABLE = /\$\{([^}]*)\}/g;

function parse(text: string, { variables, wildcards }: Reading): Part[] {
  const literal = (part: string): string => (wildcards ? part.replaceAll("*", ANY).replaceAll("?", ONE) : part);
  if (!variables || !text.includes("${")) return [literal(text)];
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    parts.push(literal(text.slice(end, match.index)), variable(match[1] ?? ""));
    end = match.index + match[0].length;
  }
  parts.push(literal(text.slice(end)));
  return parts.filter((part) => part !== "");
}

function variable(inside: string): Part {
  if (inside === "*" || inside === "?" || inside === "$") return inside;
  const match = /^\s*([^,\s]+)\s*(?:,\s*'([^']*)'\s*)?$/.exec(inside);
  return { key: (match?.[1] ?? inside).toLowerCase(), fallback: match?.[2] };
}

function fromParts(parts: readonly Part[]): Template {
  if (parts.every((part) => typeof part === "string")) return constant(parts.join(""));
  return {
    matches(text, values) {
      let pattern = "";
      for (const part of parts) {
        const resolved = typeof part === "string" ? part : (values.single(part.key) ?? part.fallback);
        if (resolved === undefined) return undefined;
        pattern += resolved;
      }
      return glob(pattern, text);
    },
  };
}

function constant(pattern: string): Template {
  if (!hasWildcard(pattern)) return { matches: (text) => text === pattern };
  if (pattern === ANY) return { matches: () => true };
  const prefix = pattern.slice(0, -1);
  if (pattern.endsWith(ANY) && !hasWildcard(prefix)) return { matches: (text) => text.startsWith(prefix) };
  return { matches: (text) => glob(pattern, text) };
}

const hasWildcard = (pattern: string): boolean => pattern.includes(ANY) || pattern.includes(ONE);

/** Matches with one point of return, the last star: no pattern makes it slow. */
function glob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const code = pattern.charCodeAt(p);
    if (code === ANY_CODE) {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (code === ONE_CODE || code === text.charCodeAt(t))) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (p < pattern.length && pattern.charCodeAt(p) === ANY_CODE) p++;
  return p === pattern.length;
}
