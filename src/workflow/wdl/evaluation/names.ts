import type { Source } from "../source.ts";
import type { Session } from "./session.ts";
import type { Value } from "./values.ts";

/** What names mean where an expression stands. */
export interface Names {
  readonly source: Source;
  readonly session: Session;
  /** Inside an interpolation `+` with an absent operand is absent. */
  readonly interpolated?: boolean;
  /** The value of a declaration, an input or a scatter variable; undefined when the name is none of these. */
  valueOf(name: string): Value | undefined;
  /** The value of an output of a call; undefined when there is no such call. `path` has the output's name first. */
  outputOf(call: string, path: readonly string[]): { readonly value: Value; readonly used: number } | undefined;
}
