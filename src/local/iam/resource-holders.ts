import type { Json } from "../cloudformation/resource-provider.ts";

/** The properties that list who holds a policy, and the word for it in the operations' names. */
export const HOLDERS = [
  { list: "Roles", word: "Role" },
  { list: "Users", word: "User" },
] as const;

/** A property that is a list of texts, or is not there. */
export const textsOf = (value: Json | undefined): readonly string[] => (value ?? []) as readonly string[];
