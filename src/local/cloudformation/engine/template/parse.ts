import { LineCounter, parseDocument, type Tags } from "yaml";
import type { Json } from "../../resource-provider.ts";
import { formatError } from "../errors.ts";
import { isObject, type JsonObject } from "../values.ts";
import { shortForms } from "./yaml-tags.ts";

/**
 * Reads a template's text, JSON or YAML, short tags written out.
 * @throws AwsError ValidationError with line and column where the text is not well-formed
 */
export function readTemplate(text: string): JsonObject {
  const value = text.trimStart().startsWith("{") ? readJson(text) : readYaml(text);
  if (!isObject(value)) throw formatError("unsupported structure.");
  return value;
}

function readJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(message) ?? [];
    const lines = text.split("\n");
    throw formatError(`JSON not well-formed. (line ${line ?? lines.length}, column ${column ?? (lines.at(-1) ?? "").length + 1})`);
  }
}

// YAML 1.1 as CloudFormation reads it: yes and no are booleans, 010 is eight; dates stay text; no merges, sets or binaries.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
const UNSUPPORTED = ["timestamp", "binary", "omap", "pairs", "set"];

const isSupported = (tag: Tags[number]): boolean =>
  typeof tag === "string" ? !UNSUPPORTED.includes(tag) : !UNSUPPORTED.some((name) => tag.tag === `tag:yaml.org,2002:${name}`);

const customTags = (tags: Tags): Tags => [...tags.filter(isSupported), ...shortForms];

function readYaml(text: string): Json {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: "1.1", customTags, lineCounter: lines, merge: false, prettyErrors: false });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw formatError(`YAML not well-formed. (line ${line}, column ${col}): ${problem.message}`);
  }
  return document.toJS() as Json;
}
