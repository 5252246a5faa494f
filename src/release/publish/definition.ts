import type { ContainerRegistryMap } from "@aws-sdk/client-omics";
import { statObject, writeObject } from "../../aws/objects.ts";
import { formatS3Uri } from "../../kit/s3-uri.ts";
import type { ReleaseEnvironment } from "../environment.ts";
import { artifactsBucket, PREFIXES } from "../names.ts";
import type { Project } from "../project/project.ts";
import type { Definition } from "./create-version.ts";
import { type Package, REQUEST_LIMIT_BYTES } from "./package.ts";

/** What CreateWorkflowVersion is given: the bytes in the request while they fit, else by S3. */
export async function definitionOf(
  env: ReleaseEnvironment,
  {
    project,
    packed,
    registryMap,
  }: { readonly project: Project; readonly packed: Package; readonly registryMap: ContainerRegistryMap | undefined },
): Promise<Definition> {
  const { config, parameterTemplate, readme } = project;
  return {
    name: config.name,
    engine: project.engine,
    main: project.main,
    parameterTemplate,
    sha256: packed.sha256,
    source: packed.zip.byteLength <= REQUEST_LIMIT_BYTES ? { zip: packed.zip } : await uploaded(env, config.name, packed),
    ...(config.description && { description: config.description }),
    ...(config.accelerators && { accelerators: config.accelerators }),
    ...(config.storage && { storage: config.storage }),
    ...(readme && { readme }),
    ...(registryMap && { registryMap }),
  };
}

async function uploaded({ clients, cicd }: ReleaseEnvironment, name: string, { zip, sha256 }: Package): Promise<Definition["source"]> {
  const at = { bucket: artifactsBucket(cicd.account, cicd.region), key: `${PREFIXES.definitions}/${name}/${sha256}.zip` };
  if (!(await statObject(clients.s3, at))) await writeObject(clients.s3, at, zip, "application/zip");
  return { uri: formatS3Uri(at), bucketOwner: cicd.account };
}
