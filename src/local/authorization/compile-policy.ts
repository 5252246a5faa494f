import { compileCondition, type Condition } from "./conditions.ts";
import type { ConditionValues } from "./condition-values.ts";
import { isJson, type Json, readPolicyDocument, unknownElement, unknownStatementElement } from "./policy-document.ts";
import { compileNotPrincipal, compilePrincipal, type PrincipalElement, type PrincipalPattern } from "./principal-pattern.ts";
import { compileArnTemplate, compileTemplate, type Template } from "./template.ts";

/** A statement ready to be asked. */
export interface CompiledStatement {
  /** The Sid, or `#` and the position, counted from 1. */
  readonly label: string;
  readonly effect: "Allow" | "Deny";
  matchesAction(lowerCaseAction: string): boolean;
  /** True for a statement without a Resource element, as in trust policies. */
  matchesResource(resource: string, values: ConditionValues): boolean;
  /** Undefined in identity-based policies. */
  readonly principal: PrincipalPattern | undefined;
  readonly conditions: readonly Condition[];
  /** What of the statement is not known: it then allows nothing and, where it denies, denies whatever it may mean. */
  readonly unknown: string | undefined;
}

/** A policy ready to be asked. */
export interface CompiledPolicy {
  readonly statements: readonly CompiledStatement[];
  /** Why the text is no policy at all. */
  readonly problem: string | undefined;
}

const CACHE_SIZE = 4096;
const cache = new Map<string, CompiledPolicy>();

/** Compiles a policy's JSON text. The result is remembered by its text. */
export function compilePolicy(document: string): CompiledPolicy {
  const before = cache.get(document);
  if (before) return before;
  const compiled = compileText(document);
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(document, compiled);
  return compiled;
}

function compileText(document: string): CompiledPolicy {
  const policy = readPolicyDocument(document);
  if (!policy) return { statements: [], problem: "it is not a JSON object" };
  const strange = unknownElement(policy);
  if (strange !== undefined) return { statements: [], problem: `the element "${strange}" is not known` };
  const version = policy["Version"] ?? "2008-10-17";
  if (version !== "2012-10-17" && version !== "2008-10-17")
    return { statements: [], problem: `the version "${String(version)}" is not known` };
  const statements = listOf(policy["Statement"]).filter(isJson);
  const variables = version === "2012-10-17";
  return { statements: statements.map((statement, index) => compileStatement(statement, { index, variables })), problem: undefined };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value]);
const textsOf = (value: unknown): readonly string[] => listOf(value).map(String);

function compileStatement(json: Json, { index, variables }: { index: number; variables: boolean }): CompiledStatement {
  const effect = json["Effect"] === "Deny" ? "Deny" : "Allow";
  const principal = compilePrincipals(json);
  const strange = unknownStatementElement(json);
  const hasEffect = json["Effect"] === "Allow" || json["Effect"] === "Deny";
  const wrongEffect = hasEffect ? undefined : `the effect "${String(json["Effect"])}" is not known`;
  return {
    label: typeof json["Sid"] === "string" && json["Sid"] !== "" ? json["Sid"] : `#${index + 1}`,
    effect,
    matchesAction: compileActions(json),
    matchesResource: compileResources(json, { effect, variables }),
    principal,
    conditions: compileConditions(json["Condition"], variables),
    unknown: (strange && `the element "${strange}" is not known`) ?? wrongEffect ?? principal?.unknown,
  };
}

function compilePrincipals(json: Json): PrincipalPattern | undefined {
  if (json["NotPrincipal"] !== undefined) return compileNotPrincipal(json["NotPrincipal"] as PrincipalElement);
  return json["Principal"] === undefined ? undefined : compilePrincipal(json["Principal"] as PrincipalElement);
}

const NO_VALUES: ConditionValues = { all: () => undefined, single: () => undefined };

function compileActions(json: Json): (lowerCaseAction: string) => boolean {
  const isNegated = json["NotAction"] !== undefined;
  const patterns = textsOf(json["NotAction"] ?? json["Action"]).map((text) =>
    compileTemplate(text.toLowerCase(), { variables: false, wildcards: true }),
  );
  return (action) => patterns.some((pattern) => pattern.matches(action, NO_VALUES)) !== isNegated;
}

function compileResources(
  json: Json,
  { effect, variables }: { readonly effect: "Allow" | "Deny"; readonly variables: boolean },
): CompiledStatement["matchesResource"] {
  const isNegated = json["NotResource"] !== undefined;
  if (!isNegated && json["Resource"] === undefined) return () => true;
  const patterns = textsOf(json["NotResource"] ?? json["Resource"]).map((text) => compileArnTemplate(text, { variables, wildcards: true }));
  if (!isNegated) return (resource, values) => patterns.some((pattern) => pattern.matches(resource, values) === true);
  return (resource, values) => matchesNone(patterns, { resource, values, whenUnresolved: effect === "Deny" });
}

// A policy variable without a value leaves open what NotResource leaves out: then an Allow allows nothing by it.
function matchesNone(
  patterns: readonly Template[],
  of: { readonly resource: string; readonly values: ConditionValues; readonly whenUnresolved: boolean },
): boolean {
  const matched = patterns.map((pattern) => pattern.matches(of.resource, of.values));
  if (matched.includes(true)) return false;
  return matched.includes(undefined) ? of.whenUnresolved : true;
}

function compileConditions(condition: unknown, variables: boolean): readonly Condition[] {
  if (!isJson(condition)) return [];
  return Object.entries(condition).flatMap(([operator, keys]) =>
    isJson(keys)
      ? Object.entries(keys).map(([key, wanted]) => compileCondition({ operator, key, wanted: textsOf(wanted), variables }))
      : [],
  );
}
