import { OmicsClient } from "@aws-sdk/client-omics";
import { unprefixedConfigOf, type Target } from "../target.ts";

export function omics(target: Target): OmicsClient {
  const client = new OmicsClient(unprefixedConfigOf(target));
  keepCredentialArns(client);
  return client;
}

/** A registry map as HealthOmics takes it since botocore 1.44; the SDK's model of it has no `credentialArn` yet. */
interface Mapped {
  readonly containerRegistryMap?: { readonly registryMappings?: readonly { readonly credentialArn?: string }[] };
}

/** The SDK drops members that its model lacks: the registry map is written into the request as it was given. */
function keepCredentialArns(client: OmicsClient): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { containerRegistryMap } = args.input as Mapped;
      const request = args.request as { body?: unknown };
      if (containerRegistryMap?.registryMappings?.some(({ credentialArn }) => credentialArn !== undefined) && request.body !== undefined)
        request.body = JSON.stringify({ ...(JSON.parse(textOf(request.body)) as object), containerRegistryMap });
      return next(args);
    },
    { step: "build", priority: "high", name: "omxKeepCredentialArns" },
  );
}

const textOf = (body: unknown): string => (body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body));
