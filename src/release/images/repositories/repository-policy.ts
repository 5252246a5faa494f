import type { Place } from "../../project/deploy-config.ts";

/** A policy document as ECR keeps it; ECR turns lists of one into plain strings, so both forms are read. */
interface PolicyDocument {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}
export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal: object | string;
  /** Absent where a policy of others says what it is not about. */
  readonly Action?: readonly string[] | string;
  readonly Condition?: object;
}

const READ = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/**
 * Lets HealthOmics read a repository for runs of one account, and of no other. The condition is what keeps another
 * customer's runs out (the confused deputy that the reference leaves open).
 */
export const omicsStatement = ({ account, region }: Place, sid: string): Statement => ({
  Sid: sid,
  Effect: "Allow",
  Principal: { Service: "omics.amazonaws.com" },
  Action: READ,
  Condition: { StringEquals: { "aws:SourceAccount": account }, ArnLike: { "aws:SourceArn": `arn:aws:omics:${region}:${account}:*` } },
});

/** Lets the roles of an account read a repository. */
export const accountStatement = ({ account }: Place, sid: string): Statement => ({
  Sid: sid,
  Effect: "Allow",
  Principal: { AWS: `arn:aws:iam::${account}:root` },
  Action: READ,
});

/** Statements every repository of ours carries from its first day. */
export const stagingStatements = (cicd: Place): readonly Statement[] => [omicsStatement(cicd, "OmxHealthOmics")];

/** Statements for a production account: its own roles read, and, unless it has copies of its own, HealthOmics on its behalf. */
export const productionStatements = (place: Place, promote: "share" | "copy" = "share"): readonly Statement[] => [
  ...(promote === "share" ? [omicsStatement(place, `OmxHealthOmics${place.account}`)] : []),
  accountStatement(place, `OmxAccount${place.account}`),
];

/**
 * The policy with these statements in it: one of the same Sid is replaced, everything else is left as it is.
 * @returns undefined when nothing would change
 * @throws SyntaxError when the present policy is not JSON
 */
export function mergePolicy(present: string | undefined, statements: readonly Statement[]): string | undefined {
  const before = present === undefined ? [] : [(JSON.parse(present) as { Statement: Statement | Statement[] }).Statement].flat();
  const sids = new Set(statements.map((statement) => statement.Sid));
  const kept = before.filter((statement) => !sids.has(statement.Sid));
  const merged: PolicyDocument = { Version: "2012-10-17", Statement: [...kept, ...statements] };
  const unchanged =
    statements.every((statement) => before.some((other) => canonical(other) === canonical(statement))) &&
    kept.length + statements.length === before.length;
  return unchanged ? undefined : JSON.stringify(merged);
}

/**
 * Whether a policy that others wrote lets HealthOmics read for runs of an account; conditions that do not name another
 * account are taken to be met, those of a denial not to be.
 */
export function letsHealthOmicsRead(policy: string | undefined, account: string): boolean {
  const isMeant = ({ Principal }: Statement) => serves(Principal, "Service", (name) => name === "omics.amazonaws.com");
  return letsRead(policy, { allows: (statement) => isMeant(statement) && isFor(statement.Condition, account), denies: isMeant });
}

/** Whether a policy that others wrote lets roles of an account read; conditions are taken to be met, those of a denial not to be. */
export const letsAccountRead = (policy: string | undefined, account: string): boolean =>
  letsRead(policy, {
    allows: ({ Principal }) => serves(Principal, "AWS", (name) => name === account || name.split(":")[4] === account),
    // One role that is shut out does not shut out the others.
    denies: ({ Principal }) => serves(Principal, "AWS", (name) => name === account || name.endsWith(`:${account}:root`)),
  });

type IsMeant = (statement: Statement) => boolean;

function letsRead(policy: string | undefined, { allows, denies }: { readonly allows: IsMeant; readonly denies: IsMeant }): boolean {
  const statements = policy === undefined ? [] : [(JSON.parse(policy) as { Statement: Statement | Statement[] }).Statement].flat();
  const patterns = (effect: Statement["Effect"], isMeant: IsMeant) =>
    statements.filter((one) => one.Effect === effect && isMeant(one)).flatMap(({ Action = [] }) => Action);
  const allowed = patterns("Allow", allows);
  const denied = patterns("Deny", (statement) => statement.Condition === undefined && denies(statement));
  return READ.every((action) => allowed.some((pattern) => matches(pattern, action)) && !denied.some((pattern) => matches(pattern, action)));
}

const serves = (principal: Statement["Principal"], kind: "Service" | "AWS", isIt: (name: string) => boolean): boolean =>
  principal === "*" ||
  (typeof principal === "object" &&
    [(principal as { readonly [kind]?: string | readonly string[] })[kind] ?? []].flat().some((name) => name === "*" || isIt(name)));

/** Whether no condition names the account or ARN that HealthOmics reads for, or one names the account. */
const isFor = (condition: object = {}, account: string): boolean =>
  Object.entries(condition)
    .filter(([operator]) => !operator.includes("Not"))
    .flatMap(([, keys]) => Object.entries(keys as object))
    .every(([key, value]) => {
      const values = [value as string | readonly string[]].flat();
      if (key.toLowerCase() === "aws:sourceaccount") return values.some((one) => matches(one, account));
      return key.toLowerCase() !== "aws:sourcearn" || values.some((one) => matches(one.split(":")[4] ?? "*", account));
    });

const matches = (pattern: string, action: string): boolean =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
    "i",
  ).test(action);

/** A statement in one spelling: members sorted, lists of one as plain strings, lists sorted. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? canonical(value[0]) : JSON.stringify(value.map(canonical).sort());
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return JSON.stringify(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, canonical(member)]),
  );
}
