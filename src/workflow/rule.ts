import type { Severity } from "./inspection.ts";

/** A lint rule's page. Each language lists its own in `<language>/rules.ts`; `lint/` gathers them. */
export interface Rule {
  /** Kebab case, with the language in front where it is of one language: `wdl-absolute-import`. */
  readonly id: string;
  readonly severity: Severity;
  /** One line: what is wrong. */
  readonly title: string;
  /** What HealthOmics refuses or silently does differently, with the source of the fact. */
  readonly reason: string;
  /** What to write instead. */
  readonly fix: string;
}
