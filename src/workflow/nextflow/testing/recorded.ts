import { readFileSync } from "node:fs";

/** What Nextflow answered, by pipeline and profile; regenerate with `bench/inspect/nextflow.ts --record`. */
export interface Recorded {
  readonly nextflow: string;
  readonly corpus: Readonly<Record<string, Answers>>;
  /** By seed of `generatePipeline`. */
  readonly generated: Readonly<Record<string, Answers>>;
}

/** By profile ("" for none): the container of each process by its full name. */
export type Answers = Readonly<Record<string, Readonly<Record<string, string | null>>>>;

export const ORACLE_FILE = new URL("./oracle.json", import.meta.url);

export const readRecorded = (): Recorded => JSON.parse(readFileSync(ORACLE_FILE, "utf8")) as Recorded;

/** The profiles of the corpus that are asked as well. */
export const PROFILES: Readonly<Record<string, readonly string[]>> = {
  nfcore: ["arm64", "test", "docker"],
  labels: ["awsbatch"],
  methods: ["none"],
  branches: ["right"],
};
