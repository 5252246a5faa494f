import type { Value } from "./types.ts";
import { isList } from "./values.ts";

/** `list[0]`, `text[-1]`, `list[0..2]`; undefined where that is not known. */
export function itemAt(object: Value, index: Value): Value | undefined {
  if (!isList(object) && typeof object !== "string") return undefined;
  if (typeof index === "number") return object.at(index) ?? null;
  if (!isList(index) || !index.every((each) => typeof each === "number")) return undefined;
  const picked = spread(index, object.length).map((at): Value => object[at] ?? null);
  return typeof object === "string" ? picked.join("") : picked;
}

/** A range such as `0..-2` counts from the end on its right side. */
function spread(index: readonly number[], length: number): readonly number[] {
  const [from = 0] = index;
  const to = index.at(-1) ?? from;
  if (to >= 0 || from < 0) return index.map((at) => (at < 0 ? length + at : at));
  return Array.from({ length: Math.max(0, length + to - from + 1) }, (_, at) => from + at);
}

/** `moduleDir.name` and the like: members of a folder of the definition. Undefined for what only a run knows. */
export function folderMember(folder: string, name: string): string | undefined {
  const root = "/\u0001root/";
  const path = folder.includes(root) ? folder.slice(folder.indexOf(root) + root.length) : "";
  const last = path.split("/").at(-1) ?? "";
  if (last === "") return undefined;
  if (name === "name" || name === "baseName" || name === "simpleName") return name === "name" ? last : last.replace(/\.[^.]*$/, "");
  return name === "parent" && path.includes("/") ? folder.slice(0, folder.lastIndexOf("/")) : undefined;
}
