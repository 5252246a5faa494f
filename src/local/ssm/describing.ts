import type {
  AddTagsToResourceRequest,
  DescribeParametersRequest,
  DescribeParametersResult,
  LabelParameterVersionRequest,
  LabelParameterVersionResult,
  ListTagsForResourceRequest,
  ListTagsForResourceResult,
  RemoveTagsFromResourceRequest,
  UnlabelParameterVersionRequest,
  UnlabelParameterVersionResult,
} from "@aws-sdk/client-ssm";

import { pageOf } from "../gateway/paging.ts";
import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { invalidNextToken, invalidResourceId, invalidResourceType, labelTaken, notFound, versionNotFound } from "./errors.ts";
import { matchesFilters } from "./filters.ts";
import { findParameter, parameterArn, readReference } from "./names.ts";
import { current, type Parameter, type ParameterStore, type ParameterVersion } from "./store.ts";

const MOST_LABELS = 10;

const describeParameters = (store: ParameterStore) =>
  operation<DescribeParametersRequest, DescribeParametersResult>({
    access: (_input, call) => [{ action: "ssm:DescribeParameters", resource: `arn:aws:ssm:${call.region}:${call.account}:*` }],
    run({ ParameterFilters, Filters, MaxResults = 50, NextToken }, call) {
      const filters = [
        ...(ParameterFilters ?? []),
        ...(Filters ?? []).map(({ Key, Values }) => ({ Key, Values, Option: Key === "Name" ? "BeginsWith" : "Equals" })),
      ];
      const all = store
        .list([call.account, call.region])
        .map(({ value }) => value)
        .filter((parameter) => matchesFilters(parameter, filters));
      const { items, next } = pageOf(all, { token: NextToken, limit: MaxResults, invalid: invalidNextToken });
      return { Parameters: items.map((parameter) => describe(parameter, call)), ...(next !== undefined && { NextToken: next }) };
    },
  });

function describe(parameter: Parameter, call: Call) {
  const version = current(parameter);
  return {
    Name: parameter.name,
    ARN: parameterArn(call, parameter.name),
    Type: version.type,
    KeyId: version.keyId,
    LastModifiedDate: new Date(version.modified),
    LastModifiedUser: version.modifiedBy,
    Description: version.description,
    AllowedPattern: version.allowedPattern,
    Version: version.version,
    Tier: version.tier,
    Policies: [],
    DataType: version.dataType,
  };
}

interface Change {
  readonly call: Call;
  readonly text: string | undefined;
  change(parameter: Parameter): Parameter;
}

/** @throws AwsError ParameterNotFound */
function alter(store: ParameterStore, { call, text, change }: Change): Parameter {
  const before = findParameter(store, call, readReference(text));
  if (!before) throw notFound();
  const after = change(before);
  store.put([call.account, call.region, after.name], after);
  return after;
}

const versionMeant = (parameter: Parameter, version: number | undefined): ParameterVersion => {
  const found = version === undefined ? current(parameter) : parameter.versions.find((one) => one.version === version);
  if (!found) throw versionNotFound(parameter.name, String(version));
  return found;
};

// A label belongs to one version at a time.
const withLabels = (parameter: Parameter, wanted: ParameterVersion, labels: readonly string[]): Parameter => ({
  ...parameter,
  versions: parameter.versions.map((one) => {
    const others = one.labels.filter((label) => !labels.includes(label));
    return { ...one, labels: one.version === wanted.version ? [...others, ...labels] : others };
  }),
});

const isLabel = (label: string): boolean => /^(?!aws|ssm|\d)[\w.-]{1,100}$/i.test(label);

const labelParameterVersion = (store: ParameterStore) =>
  operation<LabelParameterVersionRequest, LabelParameterVersionResult>({
    access: ({ Name }, call) => [{ action: "ssm:LabelParameterVersion", resource: parameterArn(call, readReference(Name).name) }],
    run({ Name, ParameterVersion: number, Labels = [] }, call) {
      const good = Labels.filter(isLabel);
      let labelled = 0;
      alter(store, {
        call,
        text: Name,
        change(parameter) {
          const version = versionMeant(parameter, number);
          labelled = version.version;
          if (new Set([...version.labels, ...good]).size > MOST_LABELS) throw labelTaken();
          return withLabels(parameter, version, good);
        },
      });
      return { InvalidLabels: Labels.filter((label) => !isLabel(label)), ParameterVersion: labelled };
    },
  });

const unlabelParameterVersion = (store: ParameterStore) =>
  operation<UnlabelParameterVersionRequest, UnlabelParameterVersionResult>({
    access: ({ Name }, call) => [{ action: "ssm:UnlabelParameterVersion", resource: parameterArn(call, readReference(Name).name) }],
    run({ Name, ParameterVersion: number, Labels = [] }, call) {
      let present: readonly string[] = [];
      alter(store, {
        call,
        text: Name,
        change(parameter) {
          const { version, labels } = versionMeant(parameter, number);
          present = Labels.filter((label) => labels.includes(label));
          const versions = parameter.versions.map((one) =>
            one.version === version ? { ...one, labels: labels.filter((label) => !Labels.includes(label)) } : one,
          );
          return { ...parameter, versions };
        },
      });
      return { RemovedLabels: [...present], InvalidLabels: Labels.filter((label) => !present.includes(label)) };
    },
  });

interface Tagged {
  readonly ResourceType: string | undefined;
  readonly ResourceId: string | undefined;
}

const taggedAccess =
  (action: string) =>
  ({ ResourceId }: Tagged, call: Call) => [{ action: `ssm:${action}`, resource: parameterArn(call, readReference(ResourceId).name) }];

function alterTags(
  store: ParameterStore,
  call: Call,
  of: { readonly input: Tagged; change(tags: Parameter["tags"]): Parameter["tags"] },
): Parameter {
  if (of.input.ResourceType !== "Parameter") throw invalidResourceType();
  if (!findParameter(store, call, readReference(of.input.ResourceId))) throw invalidResourceId();
  return alter(store, { call, text: of.input.ResourceId, change: (parameter) => ({ ...parameter, tags: of.change(parameter.tags) }) });
}

const addTags = (store: ParameterStore) =>
  operation<AddTagsToResourceRequest, object>({
    access: taggedAccess("AddTagsToResource"),
    run(input, call) {
      alterTags(store, call, {
        input,
        change: (tags) => ({ ...tags, ...Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""])) }),
      });
      return {};
    },
  });

const removeTags = (store: ParameterStore) =>
  operation<RemoveTagsFromResourceRequest, object>({
    access: taggedAccess("RemoveTagsFromResource"),
    run(input, call) {
      alterTags(store, call, {
        input,
        change: (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !(input.TagKeys ?? []).includes(key))),
      });
      return {};
    },
  });

const listTags = (store: ParameterStore) =>
  operation<ListTagsForResourceRequest, ListTagsForResourceResult>({
    access: taggedAccess("ListTagsForResource"),
    run(input, call) {
      const { tags } = alterTags(store, call, { input, change: (same) => same });
      return { TagList: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
    },
  });

/** What describes, labels and tags parameters. */
export const describingOperations = (store: ParameterStore): Readonly<Record<string, AnyOperation>> => ({
  AddTagsToResource: addTags(store),
  DescribeParameters: describeParameters(store),
  LabelParameterVersion: labelParameterVersion(store),
  ListTagsForResource: listTags(store),
  RemoveTagsFromResource: removeTags(store),
  UnlabelParameterVersion: unlabelParameterVersion(store),
});
