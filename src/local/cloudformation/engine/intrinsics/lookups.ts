import type { Json } from "../../resource-provider.ts";
import { templateError } from "../errors.ts";
import { attributeParts, refName } from "../template/expressions.ts";
import { hasUnknown, isList, isObject, type NO_VALUE, scalarText, UNKNOWN, type Value } from "../values.ts";
import type { Application } from "./evaluate.ts";

/** `{"Ref": name}` */
export const ref = ({ argument, scope }: Application): Value | typeof NO_VALUE => scope.ref(refName(argument));

/** `{"Fn::GetAtt": [resource, attribute]}` or `"resource.attribute"` */
export function attribute({ argument, scope, value }: Application): Value {
  const parts = attributeParts(argument);
  const name = scalarText(value(parts.attribute));
  if (name === undefined)
    throw templateError("every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute");
  return scope.attribute(parts.name, name);
}

/** `{"Fn::ImportValue": name}`; the name can't depend on a resource of the same stack. */
export function importValue({ argument, scope, value }: Application): Value {
  const name = value(argument);
  if (name === UNKNOWN)
    throw templateError("The attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs");
  const text = scalarText(name);
  if (text === undefined || text === "")
    throw templateError("the attribute in Fn::ImportValue must be a string or a function that returns a string");
  return scope.importValue(text);
}

/** `{"Fn::FindInMap": [map, first key, second key]}`, with `{"DefaultValue": …}` fourth under AWS::LanguageExtensions. */
export function findInMap({ argument, scope, value }: Application): Value {
  const parts = isList<Json>(argument) ? argument : [];
  const [fallback] = parts.slice(3);
  if (parts.length !== 3 && !(parts.length === 4 && scope.hasExtensions && isObject(fallback) && "DefaultValue" in fallback))
    throw templateError("every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value");
  const keys = parts.slice(0, 3).map(value);
  if (keys.some(hasUnknown)) throw templateError("Fn::FindInMap keys must not depend on resources");
  const [map, first, second] = keys.map((key) => scalarText(key) ?? "") as [string, string, string];
  const entries = scope.mappings[map]?.[first];
  const found = isObject(entries) ? entries[second] : undefined;
  if (found !== undefined) return found;
  if (isObject(fallback)) return value(fallback["DefaultValue"] as Json);
  if (!(map in scope.mappings)) throw templateError(`Mapping named '${map}' is not present in the 'Mappings' section of template.`);
  throw templateError(`Unable to get mapping for ${map}::${first}::${second}`);
}
