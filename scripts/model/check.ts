/**
 * Compares `src/model` with what is installed and lists what is new:
 *   node scripts/model/check.ts [service-2.json.gz of botocore]
 * The JavaScript SDK of the project is compared, and the botocore that is named or that python3 has. Exit code 1 when
 * botocore's model has what the tables lack: then `scripts/model/generate.ts` writes them anew.
 */
import { execFileSync } from "node:child_process";
import * as sdk from "@aws-sdk/client-omics";
import { operations, shapes } from "../../src/model/generated/tables.ts";
import type { Operation, Shape } from "../../src/model/shape.ts";
import { readModel } from "./read-model.ts";
import { isWorkflowSide } from "./workflow-side.ts";

const ours: Readonly<Record<string, Operation>> = operations;
const ourShapes: Readonly<Record<string, Shape>> = shapes;

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

function differences(theirs: Readonly<Record<string, unknown>>, mine: Readonly<Record<string, unknown>>): readonly string[] {
  const names = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])].sort();
  return names.flatMap((name) => {
    if (!(name in mine)) return [`new there: ${name}`];
    if (!(name in theirs)) return [`gone there: ${name}`];
    return JSON.stringify(theirs[name]) === JSON.stringify(mine[name])
      ? []
      : [`changed: ${name} ${changedMembers(theirs[name], mine[name])}`];
  });
}

function changedMembers(theirs: unknown, mine: unknown): string {
  const members = (value: unknown): readonly string[] => {
    const shape = value as { readonly members?: object; readonly enum?: readonly string[] };
    return shape.enum ?? Object.keys(shape.members ?? {});
  };
  const added = members(theirs).filter((name) => !members(mine).includes(name));
  const removed = members(mine).filter((name) => !members(theirs).includes(name));
  return [...added.map((name) => `+${name}`), ...removed.map((name) => `-${name}`)].join(" ");
}

/** Whether that model has what the tables lack; an older one has less alone. */
function compareBotocore(file: string): boolean {
  const theirs = readModel(file, isWorkflowSide);
  const found = [...differences(theirs.operations, ours), ...differences(theirs.shapes, ourShapes)];
  const hasLess = (line: string): boolean => line.startsWith("gone there") || (line.includes(" -") && !line.includes(" +"));
  const isOlder = found.length > 0 && found.every(hasLess);
  say(
    `botocore (${file}): ${found.length === 0 ? "the tables are the same" : isOlder ? "an older model, with nothing that the tables lack" : `${found.length} differences`}`,
  );
  for (const line of isOlder ? [] : found) say(`  ${line}`);
  return found.length > 0 && !isOlder;
}

/**
 * The SDK's schemas are tuples: an operation is [9, namespace, name, traits, input, output], a list [1, …, member], a map
 * [2, …, traits, key traits, key, value traits, value], a structure [3, …, names, members], a union [4, …, names, members].
 */
type Schema = readonly unknown[];

const schemaOf = (reference: unknown): unknown => (typeof reference === "function" ? (reference as () => unknown)() : reference);

function compareSdk(): void {
  const schemas = Object.values(sdk as Readonly<Record<string, unknown>>).filter(
    (value): value is Schema => Array.isArray(value) && value[0] === 9,
  );
  const byName = new Map(schemas.map((schema) => [String(schema[2]), schema]));
  const lines = Object.entries(ours).flatMap(([name, operation]) => {
    const schema = byName.get(name);
    if (schema === undefined) return [`lacks the operation ${name}`];
    return [
      ...compareMembers(`${name} request`, schema[4], operation.input),
      ...compareMembers(`${name} response`, schema[5], operation.output),
    ];
  });
  say(`JavaScript SDK (client-omics): ${lines.length === 0 ? "the members are the same" : `${lines.length} differences`}`);
  for (const line of lines) say(`  ${line}`);
}

/** Members of a structure, and of all that is inside of it, that only one of the two has. */
function compareMembers(path: string, reference: unknown, shape: string | undefined, above: readonly string[] = []): readonly string[] {
  const schema = schemaOf(reference);
  const mine = shape === undefined ? undefined : ourShapes[shape];
  if (!Array.isArray(schema) || mine === undefined || shape === undefined || above.includes(shape)) return [];
  const inside = (name: string, theirs: unknown, of: string): readonly string[] => compareMembers(name, theirs, of, [...above, shape]);
  if (mine.type === "list") return inside(`${path}[]`, schema.at(-1), mine.member);
  if (mine.type === "map") return inside(`${path}{}`, schema.at(-1), mine.value);
  if (mine.type !== "structure") return [];
  const names = (schema[4] ?? []) as readonly string[];
  const members = (schema[5] ?? []) as readonly unknown[];
  return [
    ...Object.keys(mine.members)
      .filter((name) => !names.includes(name))
      .map((name) => `lacks ${path} ${name}`),
    ...names.flatMap((name, at) => {
      const member = mine.members[name];
      return member === undefined ? [`has, and we lack, ${path} ${name}`] : inside(`${path} ${name}`, members[at], member.shape);
    }),
  ];
}

/** The model of the botocore that python3 on PATH has. */
function installedBotocore(): string | undefined {
  const program =
    "import botocore, glob, os; print(sorted(glob.glob(os.path.join(os.path.dirname(botocore.__file__), 'data/omics/*/service-2.json*')))[-1])";
  try {
    return execFileSync("python3", ["-c", program], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

compareSdk();
const botocore = process.argv[2] ?? installedBotocore();
if (botocore === undefined) say("botocore: python3 has none; give the path of its service-2.json.gz");
else if (compareBotocore(botocore)) process.exitCode = 1;
