import type { CreateWorkflowRequest, CreateWorkflowVersionRequest } from "../../../model/generated/types.ts";
import { invalid, quotaExceeded } from "../errors.ts";
import type { Quotas } from "../quotas.ts";
import type { ReadmeSource } from "../store.ts";
import { checkTags } from "../tag-rules.ts";

/** The members that a workflow and a version are both created from. */
export type DefinitionRequest = Omit<CreateWorkflowRequest, "name"> & Pick<Partial<CreateWorkflowVersionRequest>, "versionName">;

/**
 * Refuses requests whose members can't stand together or are too large (guide, "Create a private workflow").
 * @throws AwsError ValidationException, ServiceQuotaExceededException
 */
export function checkDefinitionRequest(input: DefinitionRequest, quotas: Quotas): void {
  oneOf(input, ["definitionZip", "definitionUri", "definitionRepository"], true);
  oneOf(input, ["containerRegistryMap", "containerRegistryMapUri"], false);
  oneOf(input, ["readmeMarkdown", "readmeUri", "readmePath"], false);
  oneOf(input, ["parameterTemplate", "parameterTemplatePath"], false);
  for (const member of ["parameterTemplatePath", "readmePath"] as const)
    if (isGiven(input[member]) && !isGiven(input.definitionRepository))
      throw invalid(`${member} can be given only together with definitionRepository`);
  if (isGiven(input.workflowBucketOwnerId) && !isGiven(input.definitionUri))
    throw invalid("workflowBucketOwnerId can be given only together with definitionUri");
  checkSizes(input, quotas);
  checkTags(input.tags ?? {}, quotas);
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

function oneOf(input: DefinitionRequest, members: readonly (keyof DefinitionRequest)[], isNeeded: boolean): void {
  const given = members.filter((member) => isGiven(input[member]));
  const list = members.join(", ");
  if (given.length > 1) throw invalid(`Only one of ${list} can be given, not ${given.join(" and ")}`);
  if (isNeeded && given.length === 0) throw invalid(`One of ${list} must be given`);
}

function checkSizes({ definitionZip, readmeMarkdown, parameterTemplate }: DefinitionRequest, quotas: Quotas): void {
  const zipBytes = Math.floor(((definitionZip?.length ?? 0) * 3) / 4);
  if (zipBytes > quotas.zipInRequestBytes)
    throw invalid(
      `definitionZip has ${zipBytes} bytes; ${quotas.zipInRequestBytes} are the most. Put a larger definition in S3 and give definitionUri`,
    );
  checkReadmeSize(readmeMarkdown, quotas);
  const entries = Object.keys(parameterTemplate ?? {}).length;
  if (entries > quotas.templateEntries)
    throw quotaExceeded(`A parameter template can have ${quotas.templateEntries} parameters, not ${entries}`);
  if (Buffer.byteLength(JSON.stringify(parameterTemplate ?? {})) > quotas.templateBytes)
    throw quotaExceeded(`A parameter template can have ${quotas.templateBytes} bytes at most`);
}

/** @throws AwsError ValidationException */
export function checkReadmeSize(readme: string | null | undefined, quotas: Quotas): void {
  if (Buffer.byteLength(readme ?? "") > quotas.readmeBytes) throw invalid(`A README can have ${quotas.readmeBytes / 1024} KiB at most`);
}

/** Where the README comes from; a repository without any word of it gives the README.md at its root. */
export function readmeSourceOf({
  readmeMarkdown,
  readmeUri,
  readmePath,
  definitionRepository,
}: DefinitionRequest): ReadmeSource | undefined {
  if (isGiven(readmeMarkdown)) return { kind: "text", text: readmeMarkdown ?? "" };
  if (isGiven(readmeUri)) return { kind: "s3", uri: readmeUri ?? "" };
  if (!isGiven(definitionRepository)) return undefined;
  return { kind: "repository", ...(readmePath && { path: readmePath }) };
}
