import type {
  GetParameterHistoryRequest,
  GetParameterHistoryResult,
  GetParameterRequest,
  GetParameterResult,
  GetParametersByPathRequest,
  GetParametersByPathResult,
  GetParametersRequest,
  GetParametersResult,
  Parameter as ParameterOutput,
} from "@aws-sdk/client-ssm";

import { AwsError } from "../gateway/aws-error.ts";
import { pageOf } from "../gateway/paging.ts";
import { type AnyOperation, type Call, type Core, operation } from "../gateway/service.ts";
import { invalidNextToken, notFound, validation } from "./errors.ts";
import { matchesFilters } from "./filters.ts";
import { findParameter, parameterArn, readReference, type Reference, selectVersion } from "./names.ts";
import { checkKey, shownValue } from "./secure.ts";
import { current, type Parameter, type ParameterStore, type ParameterVersion } from "./store.ts";

const resourceOf = (
  store: ParameterStore,
  call: Call,
  text: string | undefined,
): { readonly resource: string; readonly context: Record<string, string> } => {
  const reference = readReference(text);
  const parameter = findParameter(store, call, reference);
  const tags = Object.entries(parameter?.tags ?? {}).flatMap(([key, value]) => [
    [`aws:ResourceTag/${key}`, value],
    [`ssm:resourceTag/${key}`, value],
  ]);
  return { resource: parameterArn(call, parameter?.name ?? reference.name), context: Object.fromEntries(tags) };
};

interface Found {
  readonly parameter: Parameter;
  readonly version: ParameterVersion;
  readonly reference: Reference;
}

/** Writes a version as an answer, after KMS let the caller decrypt it where that was asked. */
async function show(
  core: Core,
  call: Call,
  { found: { parameter, version, reference }, isDecrypted }: { readonly found: Found; readonly isDecrypted: boolean },
): Promise<ParameterOutput> {
  if (isDecrypted) await checkKey(core, call, { type: version.type, keyId: version.keyId, action: "Decrypt" });
  return {
    Name: parameter.name,
    Type: version.type,
    Value: shownValue(version, isDecrypted),
    Version: version.version,
    LastModifiedDate: new Date(version.modified),
    ARN: parameterArn(call, parameter.name),
    DataType: version.dataType,
    ...(reference.selector !== undefined && { Selector: `:${reference.selector}` }),
  };
}

function find(store: ParameterStore, call: Call, text: string | undefined): Found {
  const reference = readReference(text);
  const parameter = findParameter(store, call, reference);
  const version = selectVersion(parameter, reference);
  if (!parameter) throw notFound();
  return { parameter, version, reference };
}

const getParameter = (core: Core, store: ParameterStore) =>
  operation<GetParameterRequest, GetParameterResult>({
    access: ({ Name }, call) => [{ action: "ssm:GetParameter", ...resourceOf(store, call, Name) }],
    run: async ({ Name, WithDecryption = false }, call) => ({
      Parameter: await show(core, call, { found: find(store, call, Name), isDecrypted: WithDecryption }),
    }),
  });

const getParameters = (core: Core, store: ParameterStore) =>
  operation<GetParametersRequest, GetParametersResult>({
    access: ({ Names = [] }, call) => Names.map((name) => ({ action: "ssm:GetParameters", ...resourceOf(store, call, name) })),
    async run({ Names = [], WithDecryption = false }, call) {
      if (Names.length > 10) throw validation("Member must have length less than or equal to 10 at 'names'.");
      const found: Found[] = [];
      const invalid: string[] = [];
      for (const name of Names) {
        try {
          found.push(find(store, call, name));
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          invalid.push(name);
        }
      }
      const parameters = await Promise.all(found.map((one) => show(core, call, { found: one, isDecrypted: WithDecryption })));
      return { Parameters: parameters, InvalidParameters: invalid };
    },
  });

const getParametersByPath = (core: Core, store: ParameterStore) =>
  operation<GetParametersByPathRequest, GetParametersByPathResult>({
    access: ({ Path = "/", Recursive = false }, call) => [
      { action: "ssm:GetParametersByPath", resource: parameterArn(call, Path), context: { "ssm:Recursive": String(Recursive) } },
    ],
    async run({ Path = "/", Recursive = false, ParameterFilters, WithDecryption = false, MaxResults = 10, NextToken }, call) {
      if (!Path.startsWith("/"))
        throw validation(
          'The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with a forward slash "/".',
        );
      const prefix = Path.endsWith("/") ? Path : `${Path}/`;
      const below = store
        .list([call.account, call.region])
        .map(({ value }) => value)
        .filter(({ name }) => isBelow(name, prefix, Recursive));
      const wanted = below.filter((parameter) => matchesFilters(parameter, ParameterFilters));
      const { items, next } = pageOf(wanted, { token: NextToken, limit: MaxResults, invalid: invalidNextToken });
      const shown = items.map((parameter) =>
        show(core, call, {
          found: { parameter, version: current(parameter), reference: { name: parameter.name, selector: undefined } },
          isDecrypted: WithDecryption,
        }),
      );
      return { Parameters: await Promise.all(shown), ...(next !== undefined && { NextToken: next }) };
    },
  });

// A name without a slash stands at the root.
function isBelow(name: string, prefix: string, isRecursive: boolean): boolean {
  const full = name.startsWith("/") ? name : `/${name}`;
  return full.startsWith(prefix) && (isRecursive || !full.slice(prefix.length).includes("/"));
}

const getParameterHistory = (core: Core, store: ParameterStore) =>
  operation<GetParameterHistoryRequest, GetParameterHistoryResult>({
    access: ({ Name }, call) => [{ action: "ssm:GetParameterHistory", ...resourceOf(store, call, Name) }],
    async run({ Name, WithDecryption = false, MaxResults = 50, NextToken }, call) {
      const { parameter } = find(store, call, Name);
      const { items, next } = pageOf(parameter.versions, { token: NextToken, limit: MaxResults, invalid: invalidNextToken });
      if (WithDecryption) for (const { type, keyId } of items) await checkKey(core, call, { type, keyId, action: "Decrypt" });
      return {
        Parameters: items.map((version) => ({
          Name: parameter.name,
          Type: version.type,
          KeyId: version.keyId,
          LastModifiedDate: new Date(version.modified),
          LastModifiedUser: version.modifiedBy,
          Description: version.description,
          Value: shownValue(version, WithDecryption),
          AllowedPattern: version.allowedPattern,
          Version: version.version,
          Labels: [...version.labels],
          Tier: version.tier,
          Policies: [],
          DataType: version.dataType,
        })),
        ...(next !== undefined && { NextToken: next }),
      };
    },
  });

/** What reads values. */
export const readingOperations = (core: Core, store: ParameterStore): Readonly<Record<string, AnyOperation>> => ({
  GetParameter: getParameter(core, store),
  GetParameterHistory: getParameterHistory(core, store),
  GetParameters: getParameters(core, store),
  GetParametersByPath: getParametersByPath(core, store),
});
