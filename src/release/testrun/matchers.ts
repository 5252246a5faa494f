import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import type { Matcher } from "../project/omx-yaml.ts";
import { matchingFiles, type RunOutputs } from "./outputs.ts";

/** One expectation, judged. */
export interface Judgement {
  /** What was expected, in words. */
  readonly expected: string;
  readonly passed: boolean;
  /** What was found, when it is not what was expected. */
  readonly found?: string;
}

export interface JudgeContext {
  readonly outputs: RunOutputs;
  /** Files of the repository that expectations name, by path. */
  expectedFile(path: string): Promise<Buffer>;
  /** The outputs of the same test of the last released version. */
  readonly lastRelease?: RunOutputs;
}

/** What an expectation looks at: bytes of a file, or a value of the workflow's outputs. */
interface Subject {
  readonly name: string;
  readonly size?: number;
  readonly value?: unknown;
  bytes(): Promise<Buffer>;
}

type Check = (matcher: Matcher, subject: Subject, context: JudgeContext) => Promise<Judgement | undefined>;

/** Judges one expectation of a test; every part of it is a line of the report. */
export async function judge(matcher: Matcher, context: JudgeContext): Promise<readonly Judgement[]> {
  const subject = await findSubject(matcher, context.outputs);
  const name = matcher.file ?? matcher.output ?? "";
  if (matcher.exists === false)
    return [{ expected: `${name} is not there`, passed: subject === undefined, ...(subject && { found: "it is there" }) }];
  if (!subject) return [{ expected: `${name} is there`, passed: false, found: await describeWhatIsThere(matcher, context.outputs) }];
  const judged: Judgement[] = [];
  for (const check of CHECKS) {
    const result = await check(matcher, subject, context);
    if (result) judged.push(result);
  }
  return judged.length > 0 ? judged : [{ expected: `${name} is there`, passed: true }];
}

async function findSubject(matcher: Matcher, outputs: RunOutputs): Promise<Subject | undefined> {
  if (matcher.file !== undefined) {
    const [first] = await matchingFiles(outputs, matcher.file);
    return first && { name: first.path, size: first.size, bytes: () => outputs.read(first.uri) };
  }
  const values = await outputs.values();
  const wanted = matcher.output ?? "";
  const key = Object.keys(values ?? {}).find((name) => name === wanted || name.endsWith(`.${wanted}`));
  if (!values || key === undefined) return undefined;
  const uri = uriOf(values[key]);
  return {
    name: key,
    value: values[key],
    bytes: () => (uri ? outputs.read(uri) : Promise.resolve(Buffer.from(JSON.stringify(values[key])))),
  };
}

const uriOf = (value: unknown): string | undefined => {
  const location = typeof value === "object" && value !== null && "location" in value ? (value as { location: unknown }).location : value;
  return typeof location === "string" && location.startsWith("s3://") ? location : undefined;
};

async function describeWhatIsThere(matcher: Matcher, outputs: RunOutputs): Promise<string> {
  const names =
    matcher.file === undefined
      ? Object.keys((await outputs.values()) ?? {})
      : (await outputs.files()).map(({ path }) => path).filter((path) => !path.startsWith("logs/"));
  return names.length === 0 ? "the run left nothing" : `there is ${names.slice(0, 20).join(", ")}${names.length > 20 ? ", …" : ""}`;
}

const result = (expected: string, passed: boolean, found: string): Judgement => ({ expected, passed, ...(!passed && { found }) });
const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 200) ?? "nothing";
/** The content behind a compression: gzip and BGZF (BAM) unpack to what they hold. */
const content = (bytes: Buffer): Buffer => (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

const size: Check = async ({ minBytes, maxBytes }, subject) => {
  if (minBytes === undefined && maxBytes === undefined) return undefined;
  const bytes = subject.size ?? (await subject.bytes()).byteLength;
  return result(
    `${subject.name} has ${minBytes ?? 0} to ${maxBytes ?? "any number of"} bytes`,
    bytes >= (minBytes ?? 0) && bytes <= (maxBytes ?? Infinity),
    `${bytes} bytes`,
  );
};

const digest: Check = async (matcher, subject) => {
  if (matcher.sha256 === undefined) return undefined;
  const found = sha256(await subject.bytes());
  return result(`${subject.name} has SHA-256 ${matcher.sha256}`, found === matcher.sha256, found);
};

const text: Check = async ({ contains, matches }, subject) => {
  if (contains === undefined && matches === undefined) return undefined;
  const found = content(await subject.bytes()).toString("utf8");
  const expected = [
    ...(contains === undefined ? [] : [`contains ${shown(contains)}`]),
    ...(matches === undefined ? [] : [`matches ${matches}`]),
  ];
  const passed = (contains === undefined || found.includes(contains)) && (matches === undefined || new RegExp(matches, "m").test(found));
  return result(`${subject.name} ${expected.join(" and ")}`, passed, shown(found.slice(0, 200)));
};

const json: Check = async (matcher, subject) => {
  if (!matcher.json) return undefined;
  const { path, ...expected } = matcher.json;
  const document: unknown = JSON.parse(content(await subject.bytes()).toString("utf8"));
  return compare(`${subject.name} ${path}`, valueAt(document, path), expected);
};

const JSON_PATH_PART = /\[\s*(?:'(?<single>[^']*)'|"(?<double>[^"]*)"|(?<index>\d+))\s*\]|(?<name>[^.[\]]+)/g;

/** What lies at `a.b[0]["c.d"]`; undefined where nothing does. */
function valueAt(document: unknown, path: string): unknown {
  const parts = [...path.replace(/^\$/, "").matchAll(JSON_PATH_PART)].map(
    ({ groups }) => groups?.["single"] ?? groups?.["double"] ?? groups?.["index"] ?? groups?.["name"] ?? "",
  );
  return parts.reduce<unknown>(
    (at, part) => (typeof at === "object" && at !== null && Object.hasOwn(at, part) ? (at as Record<string, unknown>)[part] : undefined),
    document,
  );
}

const output: Check = async ({ equals, near, tolerance }, subject) =>
  equals === undefined && near === undefined
    ? undefined
    : compare(subject.name, subject.value ?? JSON.parse((await subject.bytes()).toString("utf8")), { equals, near, tolerance });

interface Expected {
  readonly equals?: unknown;
  readonly near?: number | undefined;
  readonly tolerance?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

function compare(name: string, value: unknown, { equals, near, tolerance = 0, min, max }: Expected): Judgement {
  if (near !== undefined)
    return result(`${name} is ${near} ± ${tolerance}`, typeof value === "number" && Math.abs(value - near) <= tolerance, shown(value));
  if (min !== undefined || max !== undefined)
    return result(
      `${name} is from ${min ?? "-∞"} to ${max ?? "∞"}`,
      typeof value === "number" && value >= (min ?? -Infinity) && value <= (max ?? Infinity),
      shown(value),
    );
  return result(`${name} is ${shown(equals)}`, isDeepStrictEqual(value, equals), shown(value));
}

const lines: Check = async ({ sameLinesAs }, subject, context) => {
  if (sameLinesAs === undefined) return undefined;
  const sorted = (bytes: Buffer) =>
    content(bytes)
      .toString("utf8")
      .split("\n")
      .filter((line) => line !== "")
      .sort();
  const [found, expected] = [sorted(await subject.bytes()), sorted(await context.expectedFile(sameLinesAs))];
  const missing = expected.filter((line) => !found.includes(line));
  const extra = found.filter((line) => !expected.includes(line));
  const passed = JSON.stringify(found) === JSON.stringify(expected);
  return result(
    `${subject.name} has the lines of ${sameLinesAs} in any order`,
    passed,
    `${missing.length} lines are missing, ${extra.length} too many${missing[0] ? `; the first missing: ${shown(missing[0])}` : ""}${extra[0] ? `; the first too many: ${shown(extra[0])}` : ""}`,
  );
};

const sameContent: Check = async ({ sameContentAs }, subject, context) => {
  if (sameContentAs === undefined) return undefined;
  const [found, expected] = [content(await subject.bytes()), content(await context.expectedFile(sameContentAs))];
  return result(
    `${subject.name} has the content of ${sameContentAs}`,
    found.equals(expected),
    `${found.byteLength} bytes with SHA-256 ${sha256(found)}, not ${expected.byteLength} with ${sha256(expected)}`,
  );
};

const lastRelease: Check = async (matcher, subject, context) => {
  if (!matcher.sameAsLastRelease || !context.lastRelease) return undefined;
  const before = await findSubject(matcher, context.lastRelease);
  if (!before) return result(`${subject.name} is as in the last release`, false, "the last release had none");
  const [found, expected] = [content(await subject.bytes()), content(await before.bytes())];
  return result(
    `${subject.name} is as in the last release`,
    found.equals(expected),
    `SHA-256 ${sha256(found)}, before ${sha256(expected)}`,
  );
};

const CHECKS: readonly Check[] = [size, digest, text, json, output, lines, sameContent, lastRelease];
