import { type Document, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";

/** What a document holds, or all that is wrong with it: `file:line:column: place: what is wrong`. */
export type YamlReading<Data> = { readonly data: Data } | { readonly problems: readonly string[] };

/** Reads a YAML document by a schema. */
export function readYaml<Schema extends z.ZodType>(
  text: string,
  { schema, file }: { readonly schema: Schema; readonly file: string },
): YamlReading<z.output<Schema>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) return { problems: document.errors.map((error) => `${at(error.pos[0])}: ${error.message}`) };
  const unfolded = unfold(document);
  if (unfolded === undefined)
    return { problems: [`${file}: its aliases unfold to more than anybody writes; write out what they stand for`] };
  const parsed = schema.safeParse(unfolded.value ?? {});
  if (parsed.success) return { data: parsed.data };
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(schema, issue));
  return {
    problems: problems.map(({ where, message }) => `${at(offsetOf(document, where))}: ${where.join(".") || "the document"}: ${message}`),
  };
}

/** The values of a document; undefined where aliases of aliases would fill the memory, which the library tells by this error. */
function unfold(document: Document): { readonly value: unknown } | undefined {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

/** Where a place of the document is written: its key, else its value, else what it is missing from. */
function offsetOf(document: Document, where: readonly PropertyKey[]): number {
  for (let length = where.length; length > 0; length--) {
    const parent = document.getIn(where.slice(0, length - 1) as string[], true) as
      { items?: readonly { key?: { value?: unknown; range?: readonly number[] } }[] } | undefined;
    const pair = parent?.items?.find((item) => item.key?.value === where[length - 1]);
    const node = document.getIn(where.slice(0, length) as string[], true) as { range?: readonly number[] } | undefined;
    const offset = pair?.key?.range?.[0] ?? node?.range?.[0];
    if (offset !== undefined) return offset;
  }
  return (document.contents as { range?: readonly number[] } | null)?.range?.[0] ?? 0;
}

function problemsOf(
  schema: z.ZodType,
  issue: z.core.$ZodIssue,
): readonly { readonly where: readonly PropertyKey[]; readonly message: string }[] {
  if (issue.code === "invalid_key") return issue.issues.map(({ message }) => ({ where: issue.path, message }));
  if (issue.code !== "unrecognized_keys") return [{ where: issue.path, message: issue.message }];
  const allowed = allowedKeys(schema, issue.path);
  return issue.keys.map((key) => ({
    where: [...issue.path, key],
    message: `is not known here${allowed.length > 0 ? `; allowed: ${allowed.join(", ")}` : ""}`,
  }));
}

/** The keys an object at this path may have. */
function allowedKeys(whole: z.ZodType, where: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = whole;
  for (const part of where) schema = step(unwrapped(schema), part);
  const shape = (unwrapped(schema) as { shape?: object } | undefined)?.shape;
  return shape ? Object.keys(shape) : [];
}

function unwrapped(schema: unknown): unknown {
  let current = schema as { def?: { innerType?: unknown } } | undefined;
  while (current?.def?.innerType) current = current.def.innerType as typeof current;
  return current;
}

function step(schema: unknown, part: PropertyKey): unknown {
  const { shape, element, valueType } = (schema ?? {}) as { shape?: Record<string, unknown>; element?: unknown; valueType?: unknown };
  return valueType ?? (typeof part === "number" ? element : shape?.[String(part)]);
}
