import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineResult, EngineSpec, LocalInputs, Refusal, TaskGrant } from "./engine.ts";

/** The files of a run's folder. Either side of the conversation may die and read on where it was. */
export interface RunFolder {
  readonly root: string;
  readonly spec: string;
  /** One event of the engine a line. */
  readonly events: string;
  /** One JSON file for each answered ask. */
  readonly answers: string;
  /** What the engine says of its work. */
  readonly engineLog: string;
  /** Whatever the engine's process writes: seen only when it dies without a result. */
  readonly console: string;
  readonly result: string;
  /** The engine's temporary folder. */
  readonly temporary: string;
}

export const runFolder = (root: string): RunFolder => ({
  root,
  spec: join(root, "spec.json"),
  events: join(root, "events.jsonl"),
  answers: join(root, "answers"),
  engineLog: join(root, "engine.log"),
  console: join(root, "console.log"),
  result: join(root, "result.json"),
  temporary: join(root, "tmp"),
});

/** Makes the folder ready for an engine to start in. */
export function writeSpec(folder: RunFolder, spec: EngineSpec): void {
  for (const made of [folder.answers, folder.temporary]) mkdirSync(made, { recursive: true });
  writeFileSync(folder.events, "", { flag: "a" });
  writeWhole(folder.spec, { ...spec, folder: folder.root });
}

const answerFile = (folder: RunFolder, ask: string): string => join(folder.answers, `${ask}.json`);

/** Answers an ask. The engine goes on as soon as the file is there. */
export function answer(folder: RunFolder, ask: string, document: TaskGrant | LocalInputs | Refusal): void {
  writeWhole(answerFile(folder, ask), document);
}

export const isAnswered = (folder: RunFolder, ask: string): boolean => existsSync(answerFile(folder, ask));

/** The engine's result; undefined when it left none (it was killed). */
export function readResult(folder: RunFolder): EngineResult | undefined {
  if (!existsSync(folder.result)) return undefined;
  return JSON.parse(readFileSync(folder.result, "utf8")) as EngineResult;
}

function writeWhole(file: string, document: unknown): void {
  const partial = `${file}.partial`;
  writeFileSync(partial, JSON.stringify(document));
  renameSync(partial, file);
}
