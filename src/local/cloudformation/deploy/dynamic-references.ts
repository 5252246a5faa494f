import { validationError } from "../engine/errors.ts";
import { isList, isObject } from "../engine/values.ts";
import type { Call, Json, Properties } from "../resource-provider.ts";

const REFERENCE = /\{\{resolve:([a-z-]+):([^}]+)\}\}/g;

/**
 * The properties with dynamic references (`{{resolve:ssm:name}}`) replaced by their present values.
 * @throws AwsError ValidationError where one can't be resolved, or the service's own error
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
 */
export async function withDynamicReferences(properties: Properties, call: Call): Promise<Properties> {
  return JSON.stringify(properties).includes("{{resolve:") ? ((await resolved(properties as Json, call)) as Properties) : properties;
}

async function resolved(node: Json, call: Call): Promise<Json> {
  if (typeof node === "string") return resolvedText(node, call);
  if (isList<Json>(node)) return Promise.all(node.map((item) => resolved(item, call)));
  if (!isObject(node)) return node;
  const members = Object.entries(node).map(async ([name, member]) => [name, await resolved(member, call)] as const);
  return Object.fromEntries(await Promise.all(members));
}

async function resolvedText(text: string, call: Call): Promise<string> {
  const found = new Map<string, string>();
  for (const [whole, service, key] of text.matchAll(REFERENCE))
    found.set(whole, await lookUp({ service: service as string, key: key as string, whole }, call));
  return text.replaceAll(REFERENCE, (whole) => found.get(whole) ?? whole);
}

interface Reference {
  readonly service: string;
  readonly key: string;
  readonly whole: string;
}

async function lookUp({ service, key, whole }: Reference, call: Call): Promise<string> {
  if (service === "ssm" || service === "ssm-secure") {
    const answer = await call<{ Parameter?: { Value?: string } }>("ssm", "GetParameter", {
      Name: key,
      WithDecryption: service === "ssm-secure",
    });
    return answer.Parameter?.Value ?? "";
  }
  if (service === "secretsmanager") return secret(key, call);
  throw validationError(`Could not parse dynamic reference ${whole}: the service is one of ssm, ssm-secure and secretsmanager`);
}

// secret id or ARN : SecretString : JSON key : version stage : version id
async function secret(key: string, call: Call): Promise<string> {
  const [, id = "", rest = ""] = /^(arn:[^:]+:[^:]+:[^:]+:[^:]+:[^:]+:[^:]+|[^:]+)(?::(.*))?$/.exec(key) ?? [];
  const [, jsonKey = "", versionStage = "", versionId = ""] = rest.split(":");
  const input = {
    SecretId: id,
    ...(versionStage !== "" && { VersionStage: versionStage }),
    ...(versionId !== "" && { VersionId: versionId }),
  };
  const { SecretString = "" } = await call<{ SecretString?: string }>("secretsmanager", "GetSecretValue", input);
  if (jsonKey === "") return SecretString;
  const found: unknown = (JSON.parse(SecretString) as Record<string, unknown>)[jsonKey];
  if (found === undefined) throw validationError(`Could not find a value associated with JSONKey ${jsonKey} in SecretString`);
  return String(found);
}
