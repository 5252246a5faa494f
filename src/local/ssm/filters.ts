import type { ParameterStringFilter } from "@aws-sdk/client-ssm";

import { validation } from "./errors.ts";
import { current, type Parameter } from "./store.ts";

/** Whether a parameter passes every filter. @throws AwsError ValidationException for a filter AWS does not know */
export const matchesFilters = (parameter: Parameter, filters: readonly ParameterStringFilter[] = []): boolean =>
  filters.every((filter) => matches(parameter, filter));

function matches(parameter: Parameter, { Key = "", Option = "Equals", Values = [] }: ParameterStringFilter): boolean {
  if (Key === "Path") return Values.some((path) => isUnder(parameter.name, path, Option === "Recursive"));
  const found = valuesOf(parameter, Key);
  if (Values.length === 0) return found.length > 0;
  return found.some((value) => Values.some((wanted) => compare(value, wanted, Option)));
}

function valuesOf(parameter: Parameter, key: string): readonly string[] {
  const { type, keyId, tier, dataType, labels } = current(parameter);
  const tag = /^tag:(.+)$/.exec(key)?.[1];
  if (tag !== undefined) return parameter.tags[tag] === undefined ? [] : [parameter.tags[tag]];
  switch (key) {
    case "Name":
      return [parameter.name, parameter.name.replace(/^\//, "")];
    case "Type":
      return [type];
    case "KeyId":
      return keyId === undefined ? [] : [keyId];
    case "Tier":
      return [tier];
    case "DataType":
      return [dataType];
    case "Label":
      return labels;
    default:
      throw validation(
        `The following filter key is not valid: ${key}. Valid filter keys include: [Path, Name, Type, KeyId, Tier, DataType, Label, tag:].`,
      );
  }
}

function compare(value: string, wanted: string, option: string): boolean {
  switch (option) {
    case "Equals":
      return value === wanted;
    case "BeginsWith":
      return value.startsWith(wanted);
    case "Contains":
      return value.includes(wanted);
    default:
      throw validation(`The following filter option is not valid: ${option}. Valid options include: [BeginsWith, Equals, Contains].`);
  }
}

function isUnder(name: string, path: string, isRecursive: boolean): boolean {
  const prefix = path.endsWith("/") ? path : `${path}/`;
  const full = name.startsWith("/") ? name : `/${name}`;
  return full.startsWith(prefix) && (isRecursive || !full.slice(prefix.length).includes("/"));
}
