// What ECR's API takes, member by member: the same member is of the same form in every operation that has it
// (AmazonECR/latest/APIReference, "Request Parameters"). What must be there at all, the SDK's model says.

/** What a value may be. */
export type Rule =
  | { readonly kind: "text"; readonly min?: number; readonly max?: number; readonly pattern?: RegExp; readonly values?: readonly string[] }
  | { readonly kind: "number"; readonly min: number; readonly max?: number }
  | { readonly kind: "flag" }
  | { readonly kind: "bytes"; readonly max: number }
  | { readonly kind: "list"; readonly min?: number; readonly max?: number; readonly of: Rule }
  | { readonly kind: "structure"; readonly members: Readonly<Record<string, Rule>>; readonly required?: readonly string[] };

const text = (limits: Omit<Extract<Rule, { kind: "text" }>, "kind"> = {}): Rule => ({ kind: "text", ...limits });
const values = (...allowed: readonly string[]): Rule => text({ values: allowed });
const list = (of: Rule, min?: number, max?: number): Rule => ({
  kind: "list",
  of,
  ...(min !== undefined && { min }),
  ...(max !== undefined && { max }),
});
const structure = (members: Readonly<Record<string, Rule>>, ...required: readonly string[]): Rule => ({
  kind: "structure",
  members,
  required,
});

/** Names of repositories, in components that slashes part. */
export const REPOSITORY_NAME = /[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*/;

const registryId = text({ pattern: /[0-9]{12}/ });
const repositoryName = text({ min: 2, max: 256, pattern: REPOSITORY_NAME });
const digest = text({ pattern: /[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+/ });
const tags = list(structure({ Key: text(), Value: text() }, "Key", "Value"));

/** Members by their names; one that is not here is taken as it is. */
export const MEMBERS: Readonly<Record<string, Rule>> = {
  registryId,
  repositoryName,
  tags,
  registryIds: list(registryId, 1, 10),
  repositoryNames: list(repositoryName, 1, 100),
  imageIds: list(structure({ imageDigest: text(), imageTag: text({ min: 1, max: 300 }) }), 1, 100),
  acceptedMediaTypes: list(text(), 1, 100),
  filter: structure({ tagStatus: values("TAGGED", "UNTAGGED", "ANY"), imageStatus: values("ACTIVE", "ARCHIVED", "ACTIVATING", "ANY") }),
  imageManifest: text({ min: 1, max: 4_194_304 }),
  imageManifestMediaType: text(),
  imageTag: text({ min: 1, max: 300 }),
  imageDigest: text(),
  layerDigest: digest,
  // BatchCheckLayerAvailability takes any text of up to 1000 characters; what is no digest is nowhere.
  layerDigests: list(text({ max: 1000 }), 1, 100),
  uploadId: text({ pattern: /[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}/ }),
  partFirstByte: { kind: "number", min: 0 },
  partLastByte: { kind: "number", min: 0 },
  layerPartBlob: { kind: "bytes", max: 20 * 1024 * 1024 },
  nextToken: text(),
  maxResults: { kind: "number", min: 1, max: 1000 },
  force: { kind: "flag" },
  policyText: text({ max: 10_240 }),
  lifecyclePolicyText: text({ min: 100, max: 30_720 }),
  imageTagMutability: values("MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"),
  imageTagMutabilityExclusionFilters: list(
    structure(
      { filterType: values("WILDCARD"), filter: text({ min: 1, max: 128, pattern: /[0-9a-zA-Z._*-]{1,128}/ }) },
      "filterType",
      "filter",
    ),
    1,
    5,
  ),
  imageScanningConfiguration: structure({ scanOnPush: { kind: "flag" } }),
  encryptionConfiguration: structure(
    { encryptionType: values("AES256", "KMS", "KMS_DSSE"), kmsKey: text({ min: 1, max: 2048 }) },
    "encryptionType",
  ),
  resourceArn: text(),
  tagKeys: list(text()),
};

/** Where one operation differs. */
export const MEMBERS_OF: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  CompleteLayerUpload: { layerDigests: list(digest, 1, 100) },
};

/** Members that may not be together: for what is named, nothing is left to be paged (API_DescribeRepositories.html, API_DescribeImages.html). */
export const EXCLUSIVE: Readonly<Record<string, readonly [named: string, ...without: string[]]>> = {
  DescribeRepositories: ["repositoryNames", "maxResults", "nextToken"],
  DescribeImages: ["imageIds", "maxResults", "nextToken"],
};
