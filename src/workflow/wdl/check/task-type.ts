/** WDL 1.2's `task`: what a command and the outputs know of the run of their task. */
import type { MetaObject, MetaValue, Task } from "../ast.ts";
import { ANY, arrayOf, BOOLEAN, FLOAT, INT, mapOf, NONE, STRING, type StructType, type Type, withOptional } from "../types.ts";

/** The type of `task` in a command, or in the outputs, which know the return code too. */
export function taskType({ meta, parameterMeta }: Task, where: "command" | "outputs"): StructType {
  return struct("task", [
    ["name", STRING],
    ["id", STRING],
    ["container", withOptional(STRING, true)],
    ["cpu", FLOAT],
    ["memory", INT],
    ["gpu", arrayOf(STRING)],
    ["fpga", arrayOf(STRING)],
    ["disks", mapOf(STRING, INT)],
    ["attempt", INT],
    ["end_time", withOptional(INT, true)],
    ["meta", metaType("task.meta", meta?.values ?? {})],
    ["parameter_meta", metaType("task.parameter_meta", parameterMeta?.values ?? {})],
    ...(where === "outputs" ? [["return_code", INT] as const] : []),
  ]);
}

const struct = (name: string, members: readonly (readonly [string, Type])[]): StructType => ({
  kind: "Struct",
  name,
  definition: { members: new Map(members) },
  optional: false,
});

const metaType = (name: string, object: MetaObject): StructType =>
  struct(
    name,
    Object.entries(object).map(([key, value]) => [key, typeOfMeta(`${name}.${key}`, value)]),
  );

/** The items of an array may differ, so nothing is known of them. */
function typeOfMeta(name: string, value: MetaValue): Type {
  if (value === null) return NONE;
  if (typeof value === "string") return STRING;
  if (typeof value === "boolean") return BOOLEAN;
  if (typeof value === "number") return Number.isInteger(value) ? INT : FLOAT;
  return isArray(value) ? arrayOf(ANY) : metaType(name, value);
}

const isArray = (value: object): value is readonly MetaValue[] => Array.isArray(value);
