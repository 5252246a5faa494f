import { InvalidValue } from "./invalid-value.ts";

/** An AWS account id: twelve digits. */
export type AccountId = string & { readonly __brand: "AccountId" };

/** @throws InvalidValue unless the text is twelve digits */
export function parseAccountId(text: string): AccountId {
  if (!/^\d{12}$/.test(text)) throw new InvalidValue("account id", text, "twelve digits are needed");
  return text as AccountId;
}
