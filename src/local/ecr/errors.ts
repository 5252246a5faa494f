import { AwsError } from "../gateway/aws-error.ts";

// Wordings as the ECR API answers them (AmazonECR/latest/APIReference).
const error = (code: string, message: string): AwsError => new AwsError(400, code, message);

/** `why` it did not come into being either, where a pull-through cache or a push would have made it. */
export const repositoryNotFound = (name: string, registryId: string, why?: string): AwsError =>
  error(
    "RepositoryNotFoundException",
    `The repository with name '${name}' does not exist in the registry with id '${registryId}'${why === undefined ? "" : ` (and was not created: ${why})`}`,
  );
/** The image is not here, and the pull-through cache did not bring it. */
export const requestedImageNotFound = (why: string): AwsError =>
  error("ImageNotFoundException", `Requested image not found (the pull through cache did not bring it: ${why})`);
export const repositoryExists = (name: string, registryId: string): AwsError =>
  error("RepositoryAlreadyExistsException", `The repository with name '${name}' already exists in the registry with id '${registryId}'`);
export const repositoryNotEmpty = (name: string, registryId: string): AwsError =>
  error(
    "RepositoryNotEmptyException",
    `The repository with name '${name}' in registry with id '${registryId}' cannot be deleted because it still contains images`,
  );
export const policyNotFound = (name: string, registryId: string): AwsError =>
  error(
    "RepositoryPolicyNotFoundException",
    `Repository policy does not exist for the repository with name '${name}' in the registry with id '${registryId}'`,
  );
export const registryPolicyNotFound = (registryId: string): AwsError =>
  error("RegistryPolicyNotFoundException", `Registry policy does not exist in the registry with id '${registryId}'`);
export const lifecyclePolicyNotFound = (name: string, registryId: string): AwsError =>
  error(
    "LifecyclePolicyNotFoundException",
    `Lifecycle policy does not exist for the repository with name '${name}' in the registry with id '${registryId}'`,
  );
export const imageNotFound = (id: string, name: string, registryId: string): AwsError =>
  error(
    "ImageNotFoundException",
    `The image with imageId {${id}} does not exist within the repository with name '${name}' in the registry with id '${registryId}'`,
  );
export const imageExists = (
  digest: string,
  tag: string | undefined,
  { account, name }: { readonly account: string; readonly name: string },
): AwsError =>
  error(
    "ImageAlreadyExistsException",
    `Image with digest '${digest}'${tag === undefined ? "" : ` and tag '${tag}'`} already exists in the repository with name '${name}' in registry with id '${account}'`,
  );
export const tagImmutable = (tag: string, name: string): AwsError =>
  error(
    "ImageTagAlreadyExistsException",
    `The image tag '${tag}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`,
  );
export const layersNotFound = (digests: readonly string[]): AwsError =>
  error("LayersNotFoundException", `Required layers are not found: ${digests.join(", ")}`);
export const referencedImagesNotFound = (digests: readonly string[]): AwsError =>
  error("ReferencedImagesNotFoundException", `Referenced images are not found: ${digests.join(", ")}`);
export const layersUnavailable = (digest: string): AwsError => error("LayersNotFoundException", `The layer ${digest} does not exist`);
export const uploadNotFound = (id: string): AwsError => error("UploadNotFoundException", `The upload with id ${id} does not exist`);
export const invalidLayer = (why: string): AwsError => error("InvalidLayerException", why);
export const layerExists = (digest: string): AwsError => error("LayerAlreadyExistsException", `Layer with digest ${digest} already exists`);
export const emptyUpload = (): AwsError => error("EmptyUploadException", "The specified layer upload does not contain any layer parts");
export const imageReferenced = (digest: string, indexes: readonly string[]): AwsError =>
  error(
    "ImageReferencedByManifestList",
    `Requested image ${digest} is referenced by the manifest list ${indexes.join(", ")}; delete that first`,
  );
export const uploadBusy = (id: string): AwsError => error("UploadBusy", `The upload with id ${id} is receiving another part`);
export const invalidTag = (tag: string): AwsError =>
  error(
    "InvalidTagParameterException",
    `'${tag}' is not an image tag: write up to 128 letters, digits, '_', '.' and '-', not beginning with '.' or '-'`,
  );
export const invalidPart = (
  { account, name, id }: { readonly account: string; readonly name: string; readonly id: string },
  lastByte: number,
): AwsError =>
  new AwsError(
    400,
    "InvalidLayerPartException",
    `The layer part does not continue the upload with id ${id}: the last byte received is ${lastByte}`,
    {
      registryId: account,
      repositoryName: name,
      uploadId: id,
      lastValidByteReceived: lastByte,
    },
  );
export const partTooSmall = (bytes: number): AwsError =>
  error("LayerPartTooSmallException", `Layer parts must be at least 5 MiB in size, but for the last; one has ${bytes} bytes`);
export const invalidTags = (why: string): AwsError => error("InvalidTagParameterException", why);
export const tooManyTags = (): AwsError =>
  error("TooManyTagsException", "The maximum number of tags that can be applied to a repository is 50");
export const invalidParameter = (why: string): AwsError => error("InvalidParameterException", `Invalid parameter ${why}`);
export const digestMismatch = (given: string, computed: string): AwsError =>
  error("ImageDigestDoesNotMatchException", `Image digest ${given} does not match the computed digest ${computed}`);
export const ruleNotFound = (prefix: string, registryId: string): AwsError =>
  error(
    "PullThroughCacheRuleNotFoundException",
    `The pull through cache rule with repository prefix '${prefix}' was not found in the registry with id '${registryId}'`,
  );
export const ruleExists = (prefix: string, registryId: string): AwsError =>
  error(
    "PullThroughCacheRuleAlreadyExistsException",
    `A pull through cache rule with repository prefix '${prefix}' already exists in the registry with id '${registryId}'`,
  );
export const templateNotFound = (prefix: string, registryId: string): AwsError =>
  error(
    "TemplateNotFoundException",
    `The repository creation template with prefix '${prefix}' was not found in the registry with id '${registryId}'`,
  );
export const templateExists = (prefix: string, registryId: string): AwsError =>
  error(
    "TemplateAlreadyExistsException",
    `A repository creation template with prefix '${prefix}' already exists in the registry with id '${registryId}'`,
  );
export const unsupportedUpstream = (url: string): AwsError =>
  error(
    "UnsupportedUpstreamRegistryException",
    `'${url}' is not an upstream registry for pull through cache rules: public.ecr.aws, registry-1.docker.io, quay.io, registry.k8s.io, ghcr.io, registry.gitlab.com, cgr.dev or <name>.azurecr.io (another private ECR is not supported by the local accounts)`,
  );
export const secretNotFound = (arn: string): AwsError =>
  error(
    "SecretNotFoundException",
    `The ARN of the secret specified in the pull through cache rule was not found: ${arn}. Update the pull through cache rule with a valid secret ARN and try again.`,
  );
export const secretInaccessible = (arn: string, why: string): AwsError =>
  error(
    "UnableToAccessSecretException",
    `The secret ${arn} is unable to be accessed (${why}). Verify the resource permissions for the secret and try again.`,
  );
export const secretUndecryptable = (arn: string, why: string): AwsError =>
  error(
    "UnableToDecryptSecretValueException",
    `The secret ${arn} is accessible but is unable to be decrypted (${why}). Verify the resource permissions and try again.`,
  );
export const kmsFailed = ({ code, message }: AwsError): AwsError =>
  new AwsError(400, "KmsException", `The operation failed due to a KMS exception: ${message}`, { kmsError: code });
export const isSecretFailure = ({ code }: AwsError): boolean =>
  ["SecretNotFoundException", "UnableToAccessSecretException", "UnableToDecryptSecretValueException"].includes(code);
export const upstreamFailed = (
  code: "UpstreamAccessDenied" | "UpstreamTooManyRequests" | "UpstreamUnavailable",
  message: string,
): AwsError => error(code, message);
export const unableToGetUpstream = (message: string): AwsError => error("UnableToGetUpstreamImageException", message);
