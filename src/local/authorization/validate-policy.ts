import { isKnownOperator, readOperator } from "./conditions.ts";
import { OPERATORS } from "./condition-operators.ts";
import { isJson, type Json, readPolicyDocument, unknownElement, unknownStatementElement } from "./policy-document.ts";

/** Where a policy is put, which decides which elements it must and must not have. */
export type PolicyUse = "identity" | "resource" | "trust";

const PRINCIPAL_TYPES = ["AWS", "Service", "Federated", "CanonicalUser"];

/**
 * Checks a policy document as AWS does when it is put.
 * @returns the message of MalformedPolicyDocument: AWS's sentence and, after it, what is wrong in which statement
 *   (AWS leaves that out); undefined for a good policy
 */
export function validatePolicyDocument(document: string, use: PolicyUse = "identity"): string | undefined {
  const policy = readPolicyDocument(document);
  if (!policy) return use === "trust" ? "This policy contains invalid Json" : syntax("it is not a JSON object");
  const strange = unknownElement(policy);
  if (strange !== undefined) return syntax(`the element "${strange}" is not known`);
  const version = policy["Version"];
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17")
    return syntax(`"${String(version)}" is not a version; use "2012-10-17"`);
  if (version === undefined && use === "identity") return "Policy document must be version 2012-10-17 or greater.";
  const statements = [policy["Statement"]].flat();
  if (policy["Statement"] === undefined || statements.length === 0) return syntax("it has no statement");
  return (
    firstOf(statements.map((statement, index) => checkStatement(statement, index, use))) ?? checkSids(statements as readonly Json[], use)
  );
}

const syntax = (why: string): string => `Syntax errors in policy. (${why})`;
const firstOf = (messages: readonly (string | undefined)[]): string | undefined => messages.find((message) => message !== undefined);

function checkStatement(statement: unknown, index: number, use: PolicyUse): string | undefined {
  if (!isJson(statement)) return syntax(`statement #${index + 1} is not an object`);
  const where = typeof statement["Sid"] === "string" ? `statement "${statement["Sid"]}"` : `statement #${index + 1}`;
  const wrong = (why: string): string => syntax(`${where}: ${why}`);
  const strange = unknownStatementElement(statement);
  if (strange !== undefined) return wrong(`the element "${strange}" is not known`);
  if (statement["Effect"] !== "Allow" && statement["Effect"] !== "Deny") return wrong('Effect must be "Allow" or "Deny"');
  for (const name of ["Principal", "Action", "Resource"])
    if (statement[name] !== undefined && statement[`Not${name}`] !== undefined) return wrong(`${name} and Not${name} exclude each other`);
  return (
    checkPrincipal(statement, { where, use }) ??
    checkActions(statement, { where, use }) ??
    checkResources(statement, { where, use }) ??
    checkConditions(statement["Condition"], where)
  );
}

interface Place {
  readonly where: string;
  readonly use: PolicyUse;
}

function checkPrincipal(statement: Json, { where, use }: Place): string | undefined {
  const principal = statement["Principal"] ?? statement["NotPrincipal"];
  if (use === "identity") return principal === undefined ? undefined : "Policy document should not specify a principal.";
  if (principal === undefined) return `Missing required field Principal (${where})`;
  if (use === "trust" && statement["NotPrincipal"] !== undefined) return "AssumeRole policy must not contain NotPrincipal";
  if (principal === "*") return undefined;
  if (!isJson(principal) || Object.keys(principal).length === 0) return syntax(`${where}: Principal must be "*" or an object`);
  for (const [type, ids] of Object.entries(principal)) {
    if (!PRINCIPAL_TYPES.includes(type)) return `Invalid principal in policy: "${type}" (${where})`;
    const bad = [ids].flat().find((id) => typeof id !== "string" || !isPrincipalId(type, id));
    if (bad !== undefined) return `Invalid principal in policy: "${type}":"${String(bad)}" (${where})`;
  }
  return undefined;
}

// A role or user that was deleted leaves its unique id in the policies that named it.
const AWS_PRINCIPAL =
  /^(\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)\/[^*?]+)|A(IDA|ROA)[A-Z0-9]{16,})$/;
const isPrincipalId = (type: string, id: string): boolean => {
  if (type === "AWS") return AWS_PRINCIPAL.test(id);
  return type === "Service" ? /^[a-z0-9.-]+\.[a-z.]+$/.test(id) : id !== "";
};

function checkActions(statement: Json, { where, use }: Place): string | undefined {
  const actions = listOf(statement["Action"] ?? statement["NotAction"]);
  if (actions.length === 0) return use === "trust" ? `Missing required field Action (${where})` : "Policy statement must contain actions.";
  for (const action of actions) {
    if (typeof action !== "string") return syntax(`${where}: an action is a text`);
    if (action === "*") continue;
    const [vendor = "", name, ...rest] = action.split(":");
    if (name === undefined) return `Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. (${where}: "${action}")`;
    if (rest.length > 0) return `Actions/Condition can contain only one colon. (${where}: "${action}")`;
    if (/[^a-zA-Z0-9.-]/.test(vendor)) return `Vendor ${vendor} is not valid (${where})`;
    if (use === "trust" && !/^sts:/i.test(action))
      return `AssumeRole policy may only specify STS AssumeRole actions. (${where}: "${action}")`;
  }
  return undefined;
}

function checkResources(statement: Json, { where, use }: Place): string | undefined {
  const resources = listOf(statement["Resource"] ?? statement["NotResource"]);
  if (use === "trust") return resources.length === 0 ? undefined : "Has prohibited field Resource";
  // The policies of repositories and topics may leave the resource out: it is the one they belong to.
  if (resources.length === 0)
    return use === "resource" && statement["Resource"] === undefined ? undefined : "Policy statement must contain resources.";
  const bad = resources.find((resource) => typeof resource !== "string" || !/^(\*$|arn:|\$\{)/.test(resource));
  return bad === undefined ? undefined : `Resource ${String(bad)} must be in ARN format or "*". (${where})`;
}

function checkConditions(condition: unknown, where: string): string | undefined {
  if (condition === undefined) return undefined;
  if (!isJson(condition)) return syntax(`${where}: Condition must be an object`);
  for (const [operator, keys] of Object.entries(condition)) {
    if (!isKnownOperator(operator)) return syntax(`${where}: the condition operator "${operator}" is not known`);
    if (!isJson(keys)) return syntax(`${where}: the condition operator "${operator}" needs an object of keys`);
    for (const [key, wanted] of Object.entries(keys)) {
      const bad = listOf(wanted).find((value) => !isValueOf(operator, value));
      if (bad !== undefined) return syntax(`${where}: ${operator} ${key} can't be compared with ${JSON.stringify(bad)}`);
    }
  }
  return undefined;
}

function isValueOf(operator: string, value: unknown): boolean {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return false;
  const { name } = readOperator(operator);
  if (name === "Null") return /^(true|false)$/i.test(String(value));
  // A policy variable has its value only in a request.
  return String(value).includes("${") || OPERATORS[name]?.prepare(String(value), true) !== undefined;
}

function checkSids(statements: readonly Json[], use: PolicyUse): string | undefined {
  const sids = statements.flatMap(({ Sid }) => (Sid === undefined || Sid === "" ? [] : [String(Sid)]));
  const bad = sids.find((sid) => use !== "resource" && !/^[0-9A-Za-z]*$/.test(sid));
  if (bad !== undefined)
    return `Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]* ("${bad}")`;
  const twice = sids.find((sid, index) => sids.indexOf(sid) !== index);
  return twice === undefined ? undefined : `Statement IDs (SID) in a single policy must be unique. ("${twice}")`;
}

const listOf = (value: unknown): readonly unknown[] => (value === undefined ? [] : [value].flat());
