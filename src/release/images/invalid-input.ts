import { INVALID_INPUT } from "./state-machines.ts";

/** An execution's input that can't be read: the name is that of the execution's error. */
export class InvalidInput extends Error {
  override readonly name = INVALID_INPUT;
}
