import { AwsError } from "../gateway/aws-error.ts";

// Codes and statuses: botocore's model of omics 2022-11-28. Texts marked * were seen from the service; the others are ours.

export const invalid = (message: string): AwsError => new AwsError(400, "ValidationException", message);
export const conflict = (message: string): AwsError => new AwsError(409, "ConflictException", message);
export const quotaExceeded = (message: string): AwsError => new AwsError(402, "ServiceQuotaExceededException", message);
export const throttled = (): AwsError => new AwsError(429, "ThrottlingException", "Rate exceeded");

const notFound = (message: string): AwsError => new AwsError(404, "ResourceNotFoundException", message);

/** * awslabs/aws-healthomics-tools#75 */
export const workflowNotFound = (id: string): AwsError => notFound(`Workflow ${id} not found`);
export const versionNotFound = (id: string, name: string): AwsError => notFound(`Workflow version ${name} of workflow ${id} not found`);
export const runNotFound = (id: string): AwsError => notFound(`Run ${id} not found`);
export const taskNotFound = (id: string): AwsError => notFound(`Task ${id} not found`);
export const cacheNotFound = (id: string): AwsError => notFound(`Run cache ${id} not found: the local accounts keep no run caches`);
export const configurationNotFound = (name: string): AwsError =>
  notFound(`Configuration ${name} not found: the local accounts keep no configurations`);
export const runGroupNotFound = (id: string): AwsError => notFound(`Run group ${id} not found`);
export const resourceNotFound = (arn: string): AwsError => notFound(`Resource ${arn} not found`);
