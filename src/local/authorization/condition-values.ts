/** Values of condition keys, by name in any case. A key with several values holds a list. */
export type ConditionContext = Readonly<Record<string, string | readonly string[]>>;

/** The condition context of one request, looked up by lower-case key: names of condition keys ignore case. */
export interface ConditionValues {
  /** All values; undefined when the request does not have the key. */
  all(lowerCaseKey: string): readonly string[] | undefined;
  /** The value of a key that has exactly one. */
  single(lowerCaseKey: string): string | undefined;
}

const known = new WeakMap<ConditionContext, ConditionValues>();

/** Reads a context once; asked again with the same object it answers from memory. */
export function conditionValues(context: ConditionContext): ConditionValues {
  const before = known.get(context);
  if (before) return before;
  const values = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(context)) values.set(key.toLowerCase(), typeof value === "string" ? [value] : value);
  const read: ConditionValues = {
    all: (key) => values.get(key),
    single(key) {
      const all = values.get(key);
      return all?.length === 1 ? all[0] : undefined;
    },
  };
  known.set(context, read);
  return read;
}
