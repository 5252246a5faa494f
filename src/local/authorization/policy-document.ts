/** A JSON object of a policy: the document, or a statement. */
export type Json = Readonly<Record<string, unknown>>;

const POLICY_ELEMENTS = ["Version", "Id", "Statement"];
const STATEMENT_ELEMENTS = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/** The document of a policy's text; undefined for what is no JSON object. */
export function readPolicyDocument(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** The first element of a document that no policy has. */
export const unknownElement = (policy: Json): string | undefined => unknownOf(policy, POLICY_ELEMENTS);

/** The first element of a statement that no statement has. */
export const unknownStatementElement = (statement: Json): string | undefined => unknownOf(statement, STATEMENT_ELEMENTS);

const unknownOf = (json: Json, known: readonly string[]): string | undefined => Object.keys(json).find((name) => !known.includes(name));
