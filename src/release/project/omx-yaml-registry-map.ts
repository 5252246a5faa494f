import { z } from "zod";
import { isHost, parseRegistryHost } from "../../kit/image-ref-host.ts";
import { parseImageRef } from "../../kit/image-ref.ts";
import { privateEcrOf } from "../../kit/image-ref-ecr.ts";
import { checked } from "./checked.ts";

// Lengths and patterns are those of HealthOmics's API model (ContainerRegistryMap), botocore 1.44.5.
const TEXT = /^[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]+$/u;
// A prefix of ECR's pull-through cache rules (CreatePullThroughCacheRule).
const PREFIX = /^(?:[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\/?|ROOT)$/;
const PREFIX_RULE = "words of a-z and 0-9 with . _ __ or - between them, and / between words; or ROOT";

/** One sentence for one text: what is too short is not judged by its characters too. */
const only = (error: string) => ({ error, abort: true });

const uri = (what: string) =>
  z
    .string()
    .min(1, only(`${what} is missing`))
    .max(750, only("HealthOmics takes 750 characters"))
    .regex(TEXT, only("it has characters that HealthOmics does not take"));

/** The host at the start of images, with or without `https://` in front. */
function upstream(text: string): void {
  const host = text.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  if (host.includes("/"))
    throw new Error(`HealthOmics compares the host alone; write ${host.split("/")[0]}, and the rest as upstreamRepositoryPrefix`);
  parseRegistryHost(host);
}

/** An address in private ECR, or the path of a repository of the run's own account. */
function destination(text: string): void {
  if (/^[a-z]+:\/\//i.test(text)) throw new Error(`write it without ${/^[^/]*\/\//.exec(text)?.[0] ?? ""}`);
  const isAddress = text.includes("/") && isHost(text.split("/")[0] ?? "");
  const image = parseImageRef(isAddress ? text : `000000000000.dkr.ecr.us-east-1.amazonaws.com/${text}`);
  if (!privateEcrOf(image))
    throw new Error(
      `${image.registry} is not private ECR, from which alone HealthOmics runs images; write <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`,
    );
}

const RegistryMapping = z.strictObject({
  upstreamRegistryUrl: uri("the upstream registry's host")
    .superRefine(checked(upstream))
    .describe("The host with which images are written: `quay.io`; `registry-1.docker.io` for Docker Hub"),
  ecrRepositoryPrefix: z
    .string()
    .min(1, only("the prefix of ECR's repositories is missing"))
    .max(256, only("HealthOmics takes 256 characters"))
    .regex(PREFIX, `ECR has no such repositories: a prefix is ${PREFIX_RULE}`)
    .describe("What stands before the images' paths in private ECR: `quay`"),
  upstreamRepositoryPrefix: z
    .string()
    .min(2, only("HealthOmics takes 2 to 30 characters"))
    .max(30, only("HealthOmics takes 2 to 30 characters"))
    .regex(PREFIX, `a prefix of the upstream path is ${PREFIX_RULE}`)
    .optional()
    .describe("The part of the upstream path that the cache's rule covers already"),
  ecrAccountId: z
    .string("an AWS account id is twelve digits, in quotes")
    .regex(/^[0-9]{12}$/, "an AWS account id is twelve digits, in quotes")
    .optional()
    .describe("Whose ECR it is; the run's own where absent"),
  credentialArn: z
    .string()
    .min(20, only("the ARN of a secret is needed"))
    .max(2048, only("HealthOmics takes 2048 characters"))
    .regex(/^arn:aws(?:-\w+)*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[a-zA-Z0-9/_+=.@-]+$/, "the ARN of a secret is needed")
    .optional()
    .describe("The secret of a registry that HealthOmics copies images from, where ECR's pull-through cache does not read it"),
});

const ImageMapping = z.strictObject({
  sourceImage: uri("the image as the definition writes it")
    .superRefine(checked(parseImageRef))
    .describe("The image as the definition writes it, with or without a tag"),
  destinationImage: uri("the image in private ECR")
    .superRefine(checked(destination))
    .describe("An address in private ECR, or the path of a repository of the run's own account"),
});

/** `registryMap` of omx.yaml: HealthOmics's container registry map, as its API takes it. */
export const RegistryMap = z
  .strictObject({
    registryMappings: z.array(RegistryMapping).default([]),
    imageMappings: z.array(ImageMapping).default([]),
  })
  .superRefine(({ registryMappings, imageMappings }, context) => {
    const tellTwice = (list: string, keys: readonly string[]) => {
      for (const [index, key] of keys.entries())
        if (keys.indexOf(key) < index)
          context.addIssue({
            code: "custom",
            path: [list, index],
            message: `${key.trim()} has a mapping already (the ${keys.indexOf(key) + 1}. of the list); leave one out`,
          });
    };
    tellTwice(
      "registryMappings",
      registryMappings.map(
        ({ upstreamRegistryUrl, upstreamRepositoryPrefix = "" }) =>
          `${upstreamRegistryUrl.replace(/^https?:\/\//, "").replace(/\/+$/, "")} ${upstreamRepositoryPrefix}`,
      ),
    );
    tellTwice(
      "imageMappings",
      imageMappings.map(({ sourceImage }) => sourceImage),
    );
  });
