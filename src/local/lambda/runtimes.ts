/** How a function's process is started. */
export type RuntimeKind = "node" | "python" | "custom";

const RUNTIMES: readonly (readonly [name: RegExp, kind: RuntimeKind])[] = [
  [/^nodejs(18|20|22|24)\.x$/, "node"],
  [/^python3\.(9|1[0-4])$/, "python"],
  [/^provided\.(al2|al2023)$/, "custom"],
];

/** The kind of a runtime; undefined when the local accounts don't run it. */
export const runtimeKind = (name: string): RuntimeKind | undefined => RUNTIMES.find(([pattern]) => pattern.test(name))?.[1];
