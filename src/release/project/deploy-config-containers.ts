import { z } from "zod";
import { REGISTRY_NAMESPACES, namespaceOf, ownNamespace, suggestedNamespace } from "../../kit/registry-namespaces.ts";
import { namespaceProblems, registryProblem } from "../../kit/registry-namespaces-entries.ts";
import { parseS3Uri } from "../../kit/s3-uri.ts";
import { CACHED_HOSTS, cachedUpstream } from "../images/pull/pull-through.ts";
import { DEFAULT_REPOSITORIES, placeOfKey } from "../images/repositories/repository-settings.ts";
import { checked } from "./checked.ts";

/** What a function copies of one image; CodeBuild copies what is larger. */
export const FUNCTION_LIMIT_GIB = 8;

// CodeBuild would give 36 (API_CreateProject), but who builds signs in to ECR at the beginning, and that lasts for 12 (API_GetAuthorizationToken).
const LONGEST_BUILD_HOURS = 11;

/** A bucket or a prefix in one: `s3://bucket/prefix/`. */
export const S3Place = z
  .string()
  .startsWith("s3://", { error: "a bucket or a prefix looks like s3://bucket/prefix/", abort: true })
  .superRefine(checked(parseS3Uri));

type Context = z.core.$RefinementCtx;

/** Each key is the one name of a registry: under another name it would have no effect. */
function registryKeys(value: object, context: Context): void {
  for (const key of Object.keys(value)) {
    const message = registryProblem(key);
    if (message !== undefined) context.addIssue({ code: "custom", path: [key], message });
  }
}

function namespaces(value: Readonly<Record<string, string>>, context: Context): void {
  for (const { registry, message } of namespaceProblems(value)) context.addIssue({ code: "custom", path: [registry], message });
}

const address = z
  .url({ protocol: /^https?$/, error: "the address of a registry is needed, as in https://mirror.example" })
  .refine(
    (text) => !URL.canParse(text) || isBare(new URL(text)),
    "write the address without name, password and query; containers.credentials names a secret with them",
  );
const isBare = ({ username, password, search, hash }: URL): boolean => username + password + search + hash === "";

const KMS_KEY = /^arn:aws(?:-\w+)*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;

/** How omx makes repositories from now on, here and in production. */
const repositories = z.strictObject({
  kmsKeys: z
    .array(z.string().regex(KMS_KEY, { error: "the ARN of a KMS key is needed: arn:aws:kms:REGION:ACCOUNT:key/ID, no alias", abort: true }))
    .default([])
    .describe(
      "What encrypts new repositories, one key for each account and region; where there is none, ECR's own. Of production it encrypts what a workflow with `promote: copy` brings",
    ),
  immutableTags: z
    .boolean()
    .default(DEFAULT_REPOSITORIES.immutableTags)
    .describe(
      "Whether tags of new repositories stay with their first image: what a tag means upstream later, or is built under it later, has no tag there",
    ),
  scanOnPush: z
    .boolean()
    .default(DEFAULT_REPOSITORIES.scanOnPush)
    .describe("Whether new repositories ask ECR to scan what is pushed; of cached images the registry's own settings decide"),
});

/** `containers` of omx.deploy.yaml. */
export const Containers = z.strictObject({
  sourceAccounts: z.array(z.string().regex(/^\d{12}$/, "an AWS account id is twelve digits, in quotes")).default([]),
  crossRegion: z.boolean().default(false),
  builderSources: z
    .array(S3Place)
    .default([])
    .describe("Buckets and prefixes that images are built from outside a release: `s3://bucket/prefix/`"),
  upstreams: z
    .record(z.string(), address)
    .default({})
    .superRefine(registryKeys)
    .describe("Upstream registries read from elsewhere: `quay.io: https://mirror.example`"),
  namespaces: z
    .record(z.string(), z.string())
    .default({})
    .superRefine(namespaces)
    .describe(
      "Where the images of further registries go in ECR, over what omx has: `eu.gcr.io: eu-gcr`; `*.` in front of a host stands for one more word, and * in the namespace for that word: `*.example.org: lab/*`",
    ),
  credentials: z
    .record(
      z.string(),
      z.string().regex(/^arn:aws(?:-\w+)*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[a-zA-Z0-9/_+=.@-]+$/, "the ARN of a secret is needed"),
    )
    .default({})
    .superRefine(registryKeys)
    .describe("Who asks an upstream registry: `docker.io: arn:aws:secretsmanager:…`, a secret with username and accessToken (or password)"),
  pullThrough: z
    .array(z.string())
    .default([])
    .describe("Registries whose images ECR's pull-through cache brings, by rules of the stack: `quay.io`"),
  functionLimitGiB: z
    .number()
    .positive()
    .default(FUNCTION_LIMIT_GIB)
    .describe("An image of which more than this many GiB are missing is copied by CodeBuild, not by a function"),
  buildHours: z
    .int()
    .min(1)
    .max(LONGEST_BUILD_HOURS, `a build has at most ${LONGEST_BUILD_HOURS} hours: it signs in to ECR at its beginning, for 12`)
    .default(2)
    .describe(
      "Hours after which CodeBuild ends the build of an image, at most 11. CodePipeline waits 8 hours for a release's Build stage; tried again, it finds what was built since",
    ),
  repositories: repositories
    .prefault({})
    .describe("Settings of repositories that omx makes, in a release or for its pull-through cache; those that are there stay as they are"),
});
export type Containers = z.infer<typeof Containers>;

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * What `containers` says that ECR in the cicd place would refuse, or that would have no effect.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreatePullThroughCacheRule.html (prefixes, registries, secrets)
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-creating-secret.html (the secret's account and region)
 */
export function containerProblems(containers: Containers, { cicd, production }: Places): readonly Problem[] {
  const home = `ecr/${cicd.account}/${cicd.region}`;
  return [
    ...Object.keys(containers.namespaces)
      .filter((registry) => ownNamespace(registry) === home)
      .map((registry) => ({
        path: ["namespaces", registry],
        message: `images of ${registry} are at home in cicd, and keep their names; leave it out`,
      })),
    ...keyProblems(containers.repositories.kmsKeys, [cicd, ...production]),
    ...containers.pullThrough.flatMap((host, index) => {
      const message = registryProblem(host) ?? cacheProblem(host, containers, index);
      return message === undefined ? credentialProblems(host, containers, { index, cicd }) : [{ path: ["pullThrough", index], message }];
    }),
  ];
}

interface Place {
  readonly account: string;
  readonly region: string;
}

interface Places {
  readonly cicd: Place;
  readonly production: readonly Place[];
}

const nameOf = ({ account, region }: Place): string => `${account} ${region}`;

/** A repository's key is in its own account and region. */
function keyProblems(kmsKeys: readonly string[], places: readonly Place[]): readonly Problem[] {
  const known = new Set(places.map(nameOf));
  const named = kmsKeys.map((arn) => nameOf(placeOfKey(arn)));
  return named.flatMap((place, index) => {
    const path = ["repositories", "kmsKeys", index];
    if (!known.has(place)) return [{ path, message: `omx makes no repositories in ${place}: it does in ${[...known].join(" and in ")}` }];
    return named.indexOf(place) < index ? [{ path, message: `there is a key for ${place} already; leave one of them` }] : [];
  });
}

const SHORTEST_PREFIX = 2;
const LONGEST_PREFIX = 30;

function cacheProblem(host: string, { pullThrough, namespaces: own }: Containers, index: number): string | undefined {
  if (!cachedUpstream(host))
    return `ECR's pull-through cache does not read ${host} (it reads ${CACHED_HOSTS.join(", ")}); leave it out: its images are copied`;
  if (pullThrough.indexOf(host) < index) return `${host} is listed already; leave it out`;
  const prefix = namespaceOf(host, { ...REGISTRY_NAMESPACES, ...own }) ?? ownNamespace(host);
  if (prefix.length >= SHORTEST_PREFIX && prefix.length <= LONGEST_PREFIX) return undefined;
  return `a prefix of ECR's pull-through cache has ${SHORTEST_PREFIX} to ${LONGEST_PREFIX} characters, and ${prefix} has ${prefix.length}; give ${host} another under containers.namespaces, as in {"${host}": "${suggestedNamespace(host).slice(0, LONGEST_PREFIX).replace(/-+$/, "")}"}`;
}

/** A rule's secret: its name begins with ecr-pullthroughcache/, and it is where the rule is. */
function credentialProblems(
  host: string,
  { credentials }: Containers,
  { index, cicd }: { readonly index: number; readonly cicd: { readonly account: string; readonly region: string } },
): readonly Problem[] {
  const arn = credentials[host];
  const named = "a secret whose name begins with ecr-pullthroughcache/";
  if (arn === undefined)
    return cachedUpstream(host)?.wantsCredentials
      ? [
          {
            path: ["pullThrough", index],
            message: `the cache reads ${host} with credentials alone: name under containers.credentials ${named}`,
          },
        ]
      : [];
  const path = ["credentials", host];
  if (!/:secret:ecr-pullthroughcache\/.+$/.test(arn))
    return [{ path, message: `the cache reads ${host} with ${named} alone; name such a one, or leave ${host} out of pullThrough` }];
  if (arn.split(":").slice(3, 5).join(":") !== `${cicd.region}:${cicd.account}`)
    return [{ path, message: `the cache takes a secret of its own account and region; make it in ${cicd.account}, ${cicd.region}` }];
  return arn.length > 612 ? [{ path, message: "the cache takes the ARN of a secret up to 612 characters" }] : [];
}
