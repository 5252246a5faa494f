import type {
  CreateFunctionRequest,
  DeleteFunctionConcurrencyRequest,
  DeleteFunctionRequest,
  FunctionConfiguration,
  GetFunctionConcurrencyRequest,
  GetFunctionConcurrencyResponse,
  GetFunctionConfigurationRequest,
  GetFunctionRequest,
  GetFunctionResponse,
  ListFunctionsRequest,
  ListFunctionsResponse,
  ListVersionsByFunctionRequest,
  ListVersionsByFunctionResponse,
  PutFunctionConcurrencyRequest,
  UpdateFunctionCodeRequest,
  UpdateFunctionConfigurationRequest,
} from "@aws-sdk/client-lambda";
import { AwsError } from "../gateway/aws-error.ts";
import { type Access, type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { receivePackage } from "./code.ts";
import { configure, describe } from "./configuration.ts";
import { functionExists, invalidValue, notAssumable, notProvided, staleRevision } from "./errors.ts";
import { functionArn, parseReference } from "./names.ts";
import { findFunction, functionAccess, type Lambda, type Named } from "./service-parts.ts";
import { type FunctionDocument, functionKey } from "./store.ts";
import { requestTags } from "./tag-operations.ts";

const passRole = (roleArn: string | undefined): readonly Access[] =>
  roleArn === undefined ? [] : [{ action: "iam:PassRole", resource: roleArn, context: { "iam:PassedToService": "lambda.amazonaws.com" } }];

/** Operations on functions. */
export const functionOperations = (lambda: Lambda): Readonly<Record<string, AnyOperation>> => ({
  ...writingOperations(lambda),
  ...readingOperations(lambda),
  ...concurrencyOperations(lambda),
});

const on =
  (lambda: Lambda, action: string) =>
  (input: Named, call: Call): readonly Access[] => [functionAccess(lambda, action, call, input)];

const writingOperations = (lambda: Lambda): Readonly<Record<string, AnyOperation>> => ({
  CreateFunction: operation<CreateFunctionRequest, FunctionConfiguration>({
    access: (input, call) => [
      { ...functionAccess(lambda, "CreateFunction", call, input), context: requestTags(input.Tags) },
      ...passRole(input.Role),
    ],
    run: (input, call) => create(lambda, input, call),
  }),
  UpdateFunctionCode: operation<UpdateFunctionCodeRequest, FunctionConfiguration>({
    access: on(lambda, "UpdateFunctionCode"),
    run: (input, call) => updateCode(lambda, input, call),
  }),
  UpdateFunctionConfiguration: operation<UpdateFunctionConfigurationRequest, FunctionConfiguration>({
    access: (input, call) => [functionAccess(lambda, "UpdateFunctionConfiguration", call, input), ...passRole(input.Role)],
    run: (input, call) => updateConfiguration(lambda, input, call),
  }),
  DeleteFunction: operation<DeleteFunctionRequest, object>({
    access: on(lambda, "DeleteFunction"),
    run: (input, call) => remove(lambda, findFunction(lambda, call, input)),
  }),
});

const readingOperations = (lambda: Lambda): Readonly<Record<string, AnyOperation>> => ({
  GetFunction: operation<GetFunctionRequest, GetFunctionResponse>({
    access: on(lambda, "GetFunction"),
    run: (input, call) => get(lambda, findFunction(lambda, call, input), call),
  }),
  GetFunctionConfiguration: operation<GetFunctionConfigurationRequest, FunctionConfiguration>({
    access: on(lambda, "GetFunctionConfiguration"),
    run: (input, call) => describe(findFunction(lambda, call, input)),
  }),
  ListFunctions: operation<ListFunctionsRequest, ListFunctionsResponse>({
    access: () => [{ action: "lambda:ListFunctions", resource: "*" }],
    run: (input, call) => list(lambda, input, call),
  }),
  ListVersionsByFunction: operation<ListVersionsByFunctionRequest, ListVersionsByFunctionResponse>({
    access: on(lambda, "ListVersionsByFunction"),
    run: (input, call) => ({ Versions: [describe(findFunction(lambda, call, input))] }),
  }),
});

const concurrencyOperations = (lambda: Lambda): Readonly<Record<string, AnyOperation>> => ({
  PutFunctionConcurrency: operation<PutFunctionConcurrencyRequest, object>({
    access: on(lambda, "PutFunctionConcurrency"),
    run(input, call) {
      const of = findFunction(lambda, call, input);
      lambda.store.functions.put(functionKey(of), { ...of, reservedConcurrency: input.ReservedConcurrentExecutions ?? 0 });
      return { ReservedConcurrentExecutions: input.ReservedConcurrentExecutions };
    },
  }),
  GetFunctionConcurrency: operation<GetFunctionConcurrencyRequest, GetFunctionConcurrencyResponse>({
    access: on(lambda, "GetFunctionConcurrency"),
    run: (input, call) => ({ ReservedConcurrentExecutions: findFunction(lambda, call, input).reservedConcurrency }),
  }),
  DeleteFunctionConcurrency: operation<DeleteFunctionConcurrencyRequest, object>({
    access: on(lambda, "DeleteFunctionConcurrency"),
    run(input, call) {
      const { reservedConcurrency: _reservedConcurrency, ...of } = findFunction(lambda, call, input);
      lambda.store.functions.put(functionKey(of), of);
      return {};
    },
  }),
});

async function create(lambda: Lambda, input: CreateFunctionRequest, call: Call): Promise<FunctionConfiguration> {
  const { core, store } = lambda;
  const place = parseReference(input.FunctionName ?? "", call);
  if (store.functions.get(functionKey(place)) !== undefined) throw functionExists(place.name);
  if (input.Code?.ImageUri !== undefined) throw notProvided("functions from container images");
  const configured = configure(store, input);
  checkRole(lambda, configured.roleArn, functionArn(place));
  const code = await receivePackage(core, input.Code ?? {}, call);
  const created: FunctionDocument = {
    ...configured,
    code,
    arn: functionArn(place),
    name: place.name,
    account: place.account,
    region: place.region,
    permissions: [],
    tags: input.Tags ?? {},
    ...stamp(lambda),
  };
  if (!store.functions.insert(functionKey(created), created)) throw functionExists(place.name);
  return describe(created);
}

const stamp = ({ core }: Lambda) => ({ lastModified: core.clock.now().toISOString(), revisionId: core.random.uuid() });

/** As on AWS the role is tried when the function is made. */
function checkRole({ core }: Lambda, roleArn: string, sourceArn: string): void {
  try {
    core.directory.assumeAsService({ service: "lambda.amazonaws.com", roleArn, sessionName: "check", sourceArn });
  } catch (error) {
    if (error instanceof AwsError) throw notAssumable();
    throw error;
  }
}

async function updateCode(lambda: Lambda, input: UpdateFunctionCodeRequest, call: Call): Promise<FunctionConfiguration> {
  const of = findFunction(lambda, call, input);
  if (input.RevisionId !== undefined && input.RevisionId !== of.revisionId) throw staleRevision();
  if (input.ImageUri !== undefined) throw notProvided("functions from container images");
  if (input.Publish === true) throw notProvided("versions (Publish)");
  const code = await receivePackage(lambda.core, input, call);
  const changed = { ...of, code, architectures: input.Architectures ?? of.architectures };
  return input.DryRun === true ? describe(changed) : replace(lambda, changed);
}

async function updateConfiguration(lambda: Lambda, input: UpdateFunctionConfigurationRequest, call: Call): Promise<FunctionConfiguration> {
  const of = findFunction(lambda, call, input);
  if (input.RevisionId !== undefined && input.RevisionId !== of.revisionId) throw staleRevision();
  const configured = configure(lambda.store, input, of);
  checkRole(lambda, configured.roleArn, of.arn);
  return replace(lambda, { ...of, ...configured });
}

/** Calls from now on run what is put; idle processes of what was there are ended. */
async function replace(lambda: Lambda, changed: FunctionDocument): Promise<FunctionConfiguration> {
  const present = { ...changed, ...stamp(lambda) };
  lambda.store.functions.put(functionKey(present), present);
  await lambda.pool.retire(present.arn);
  return describe(present);
}

function get(lambda: Lambda, of: FunctionDocument, call: Call): GetFunctionResponse {
  const token = lambda.core.random.hex(32);
  lambda.downloads.set(token, of.code.sha256);
  return {
    Configuration: describe(of),
    Code: { RepositoryType: "S3", Location: `${call.endpoint}/_lambda/code/${token}` },
    ...(Object.keys(of.tags).length > 0 && { Tags: of.tags }),
    ...(of.reservedConcurrency !== undefined && { Concurrency: { ReservedConcurrentExecutions: of.reservedConcurrency } }),
  };
}

async function remove({ store, pool }: Lambda, of: FunctionDocument): Promise<object> {
  store.functions.delete(functionKey(of));
  await pool.retire(of.arn);
  return {};
}

function list({ store }: Lambda, { Marker, MaxItems = 50 }: ListFunctionsRequest, { account, region }: Call): ListFunctionsResponse {
  if (!(MaxItems >= 1)) throw invalidValue("MaxItems must be at least 1");
  const found = store.functions.list([account, region], {
    limit: MaxItems + 1,
    ...(Marker !== undefined && { after: [account, region, Marker] }),
  });
  const page = found.slice(0, MaxItems);
  const last = page.at(-1)?.value.name;
  return {
    Functions: page.map(({ value }) => describe(value)),
    ...(found.length > MaxItems && last !== undefined && { NextMarker: last }),
  };
}
