/**
 * Compares `src/model` with what is installed and lists what is new:
 *   node scripts/model/check.ts [service-2.json.gz of botocore]
 * The JavaScript SDK of the project is always compared. Exit code 1 when botocore's model and the tables differ.
 */
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
    return JSON.stringify(theirs[name]) === JSON.stringify(mine[name]) ? [] : [`changed: ${name} ${changedMembers(theirs[name], mine[name])}`];
  });
}

function changedMembers(theirs: unknown, mine: unknown): string {
  const members = (value: unknown): readonly string[] => Object.keys((value as { members?: object }).members ?? {});
  const added = members(theirs).filter((name) => !members(mine).includes(name));
  const removed = members(mine).filter((name) => !members(theirs).includes(name));
  return [...added.map((name) => `+${name}`), ...removed.map((name) => `-${name}`)].join(" ");
}

function compareBotocore(file: string): number {
  const theirs = readModel(file, isWorkflowSide);
  const found = [...differences(theirs.operations, ours), ...differences(theirs.shapes, ourShapes)];
  say(`botocore: ${found.length === 0 ? "the tables are the same" : `${found.length} differences`}`);
  for (const line of found) say(`  ${line}`);
  return found.length;
}

/** The SDK's schemas are tuples: an operation is [9, namespace, name, traits, input, output], a structure [3, …, names, schemas]. */
type Schema = readonly unknown[];

function sdkMembers(operation: Schema, at: 4 | 5): readonly string[] {
  const reference = operation[at];
  const schema = (typeof reference === "function" ? (reference as () => Schema)() : reference) as Schema | string | undefined;
  return Array.isArray(schema) ? (schema[4] as readonly string[]) : [];
}

function compareSdk(): void {
  const schemas = Object.values(sdk as Readonly<Record<string, unknown>>).filter(
    (value): value is Schema => Array.isArray(value) && value[0] === 9,
  );
  const byName = new Map(schemas.map((schema) => [String(schema[2]), schema]));
  say("JavaScript SDK (client-omics):");
  for (const [name, operation] of Object.entries(ours)) {
    const schema = byName.get(name);
    if (schema === undefined) say(`  lacks the operation ${name}`);
    else for (const line of memberLines(schema, name, operation)) say(`  ${line}`);
  }
}

function memberLines(schema: Schema, name: string, operation: Operation): readonly string[] {
  const membersOf = (shape: string | undefined): readonly string[] => {
    const found = shape === undefined ? undefined : ourShapes[shape];
    return found?.type === "structure" ? Object.keys(found.members) : [];
  };
  const compare = (kind: string, theirs: readonly string[], mine: readonly string[]): readonly string[] => [
    ...mine.filter((member) => !theirs.includes(member)).map((member) => `lacks ${name} ${kind} ${member}`),
    ...theirs.filter((member) => !mine.includes(member)).map((member) => `has, and we lack, ${name} ${kind} ${member}`),
  ];
  return [
    ...compare("request", sdkMembers(schema, 4), membersOf(operation.input)),
    ...compare("response", sdkMembers(schema, 5), membersOf(operation.output)),
  ];
}

compareSdk();
const [botocore] = process.argv.slice(2);
if (botocore !== undefined && compareBotocore(botocore) > 0) process.exitCode = 1;
