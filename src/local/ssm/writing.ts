import type {
  DeleteParameterRequest,
  DeleteParametersRequest,
  DeleteParametersResult,
  PutParameterRequest,
  PutParameterResult,
} from "@aws-sdk/client-ssm";

import { principalArn } from "../authorization/principal.ts";
import { type AnyOperation, type Call, type Core, operation } from "../gateway/service.ts";
import { alreadyExists, invalidPattern, notFound, patternMismatch, tooManyVersions, typeMismatch, validation } from "./errors.ts";
import { checkName, findParameter, parameterArn, readReference } from "./names.ts";
import { checkKey } from "./secure.ts";
import { current, type Parameter, type ParameterKind, type ParameterStore, type ParameterVersion } from "./store.ts";

const MOST_VERSIONS = 100;
const STANDARD_BYTES = 4096;
const ADVANCED_BYTES = 8192;

const putParameter = (core: Core, store: ParameterStore) =>
  operation<PutParameterRequest, PutParameterResult>({
    access: (input, call) => [
      {
        action: "ssm:PutParameter",
        resource: parameterArn(call, readReference(input.Name).name),
        context: { ...tagContext(input), "ssm:Overwrite": String(input.Overwrite ?? false) },
      },
    ],
    async run(input, call) {
      const { name } = readReference(input.Name);
      checkName(name);
      if (input.Policies !== undefined && input.Policies !== "")
        throw validation("the local accounts have no parameter policies: leave Policies out");
      const before = store.get([call.account, call.region, name]);
      if (before && !input.Overwrite) throw alreadyExists();
      if (input.Overwrite && input.Tags)
        throw validation(
          "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
        );
      const version = nextVersion(core, { input, call, before });
      await checkKey(core, call, { type: version.type, keyId: version.keyId, action: "GenerateDataKey" });
      save(core, store, {
        call,
        name,
        before,
        version,
        tags: Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""])),
      });
      return { Version: version.version, Tier: version.tier };
    },
  });

const tagContext = ({ Tags }: PutParameterRequest): Record<string, string | readonly string[]> =>
  Tags
    ? {
        "aws:TagKeys": Tags.map(({ Key }) => Key ?? ""),
        ...Object.fromEntries(Tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value ?? ""])),
      }
    : {};

interface Putting {
  readonly input: PutParameterRequest;
  readonly call: Call;
  readonly before: Parameter | undefined;
}

function nextVersion({ clock }: Core, { input, call, before }: Putting): ParameterVersion {
  const last = before && current(before);
  const type = typeOf(input, last);
  const { Value: value = "" } = input;
  const allowedPattern = input.AllowedPattern ?? last?.allowedPattern;
  checkValue(value, allowedPattern);
  const description = input.Description ?? last?.description;
  const keyId = type === "SecureString" ? (input.KeyId ?? last?.keyId ?? "alias/aws/ssm") : undefined;
  return {
    version: (last?.version ?? 0) + 1,
    value,
    type,
    tier: tierOf(input, value, last),
    dataType: input.DataType ?? last?.dataType ?? "text",
    modified: clock.now().toISOString(),
    modifiedBy: principalArn(call.caller),
    labels: [],
    ...(allowedPattern !== undefined && allowedPattern !== "" && { allowedPattern }),
    ...(description !== undefined && { description }),
    ...(keyId !== undefined && { keyId }),
  };
}

function typeOf({ Type }: PutParameterRequest, last: ParameterVersion | undefined): ParameterKind {
  if (Type === undefined && last) return last.type;
  if (Type === undefined) throw validation("A parameter type is required when you create a parameter.");
  if (Type !== "String" && Type !== "StringList" && Type !== "SecureString")
    throw validation(`"${Type}" is not a parameter type: String, StringList or SecureString.`);
  if (last && last.type !== Type && (last.type === "SecureString" || Type === "SecureString")) throw typeMismatch();
  return Type;
}

function tierOf({ Tier }: PutParameterRequest, value: string, last: ParameterVersion | undefined): "Standard" | "Advanced" {
  const bytes = Buffer.byteLength(value);
  if (bytes > ADVANCED_BYTES) throw validation(`Member must have length less than or equal to ${ADVANCED_BYTES}.`);
  if (Tier === "Advanced" || last?.tier === "Advanced") return "Advanced";
  if (bytes <= STANDARD_BYTES) return "Standard";
  if (Tier === "Intelligent-Tiering") return "Advanced";
  throw validation(
    `Standard tier parameters support a maximum parameter value of ${STANDARD_BYTES} characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.`,
  );
}

function checkValue(value: string, pattern: string | undefined): void {
  if (value === "") throw validation("Parameter value can't be empty.");
  if (pattern === undefined || pattern === "") return;
  let compiled: RegExp;
  try {
    compiled = new RegExp(pattern);
  } catch {
    throw invalidPattern(`The pattern "${pattern}" is not a regular expression.`);
  }
  if (!compiled.test(value)) throw patternMismatch(pattern);
}

interface Saving {
  readonly call: Call;
  readonly name: string;
  readonly before: Parameter | undefined;
  readonly version: ParameterVersion;
  readonly tags: Readonly<Record<string, string>>;
}

function save(core: Core, store: ParameterStore, { call, name, before, version, tags }: Saving): void {
  const versions = [...(before?.versions ?? []), version];
  if (versions.length > MOST_VERSIONS) {
    if ((versions[0]?.labels.length ?? 0) > 0) throw tooManyVersions(name);
    versions.shift();
  }
  core.database.transaction(() => {
    store.put([call.account, call.region, name], { name, tags: { ...before?.tags, ...tags }, versions });
    tell(core, call, { operation: before ? "Update" : "Create", name, version });
  });
}

function tell(
  core: Core,
  call: Call,
  { operation: what, name, version }: { readonly operation: string; readonly name: string; readonly version: ParameterVersion },
): void {
  const detail = {
    operation: what,
    name,
    type: version.type,
    ...(version.description !== undefined && { description: version.description }),
  };
  const { account, region } = call;
  core.emit({ account, region, source: "aws.ssm", detailType: "Parameter Store Change", detail, resources: [parameterArn(call, name)] });
}

/** Whether there was one. */
function remove(core: Core, store: ParameterStore, { call, text }: { readonly call: Call; readonly text: string }): boolean {
  const parameter = findParameter(store, call, readReference(text));
  if (!parameter) return false;
  return core.database.transaction(() => {
    tell(core, call, { operation: "Delete", name: parameter.name, version: current(parameter) });
    return store.delete([call.account, call.region, parameter.name]);
  });
}

const deleteParameter = (core: Core, store: ParameterStore) =>
  operation<DeleteParameterRequest, object>({
    access: ({ Name }, call) => [{ action: "ssm:DeleteParameter", resource: parameterArn(call, readReference(Name).name) }],
    run({ Name = "" }, call) {
      if (!remove(core, store, { call, text: Name })) throw notFound();
      return {};
    },
  });

const deleteParameters = (core: Core, store: ParameterStore) =>
  operation<DeleteParametersRequest, DeleteParametersResult>({
    access: ({ Names = [] }, call) =>
      Names.map((name) => ({ action: "ssm:DeleteParameters", resource: parameterArn(call, readReference(name).name) })),
    run({ Names = [] }, call) {
      if (Names.length > 10) throw validation("Member must have length less than or equal to 10 at 'names'.");
      const deleted = Names.filter((text) => remove(core, store, { call, text }));
      return { DeletedParameters: deleted, InvalidParameters: Names.filter((name) => !deleted.includes(name)) };
    },
  });

/** What changes parameters. */
export const writingOperations = (core: Core, store: ParameterStore): Readonly<Record<string, AnyOperation>> => ({
  DeleteParameter: deleteParameter(core, store),
  DeleteParameters: deleteParameters(core, store),
  PutParameter: putParameter(core, store),
});
