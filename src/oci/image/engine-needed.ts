import type { Instruction } from "./dockerfile.ts";

/** An instruction that only an engine can carry out; the message is the reason. */
export class EngineNeeded extends Error {
  override readonly name = "EngineNeeded";
  readonly line: number;
  readonly instruction: string;
  constructor({ line, keyword, text }: Instruction, reason: string) {
    super(reason);
    this.line = line;
    this.instruction = `${keyword} ${text}`;
  }
}
