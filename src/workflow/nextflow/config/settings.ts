import type { Choice, Value, ValueMap } from "../evaluate/types.ts";

/** A configured value, and where it is set. */
export interface Setting {
  readonly kind: "setting";
  /** The value by default first. */
  readonly choices: readonly Choice[];
  readonly file: string;
  /** Offset of the assignment in the file. */
  readonly offset: number;
  /** The profile under which alone it is set. */
  readonly profile?: string;
}

/** A scope of the configuration, its entries in the order in which they were first set. */
export type ConfigMap = Map<string, Setting | ConfigMap>;

export const isScope = (entry: Setting | ConfigMap | undefined): entry is ConfigMap => entry instanceof Map;

/** The value a setting has by default. */
export const valueOf = (setting: Setting): Value => setting.choices[0]?.value ?? null;

/** The entry at a path of names. */
export function entryAt(root: ConfigMap, path: readonly string[]): Setting | ConfigMap | undefined {
  let at: Setting | ConfigMap | undefined = root;
  for (const name of path) {
    if (!isScope(at)) return undefined;
    at = at.get(name);
  }
  return at;
}

/** The setting at a path, or undefined where a scope or nothing stands. */
export function settingAt(root: ConfigMap, ...path: readonly string[]): Setting | undefined {
  const entry = entryAt(root, path);
  return isScope(entry) ? undefined : entry;
}

/** Puts a setting at a path, making the scopes on the way. A value in the way gives place to a scope, as in Groovy. */
export function put(root: ConfigMap, path: readonly string[], setting: Setting): void {
  const name = path.at(-1);
  if (name === undefined) return;
  let at = root;
  for (const each of path.slice(0, -1)) at = scopeIn(at, each);
  at.set(name, setting);
}

/** The scope of that name, made where there is none. */
export function scopeIn(parent: ConfigMap, name: string): ConfigMap {
  const found = parent.get(name);
  if (isScope(found)) return found;
  const made: ConfigMap = new Map();
  parent.set(name, made);
  return made;
}

/** A scope as a value, for expressions that read it (`manifest.version`). */
export function asValue(entry: Setting | ConfigMap): Value {
  if (!isScope(entry)) return valueOf(entry);
  const map: ValueMap = new Map();
  for (const [name, each] of entry) map.set(name, asValue(each));
  return map;
}
