import type { ContainerRegistryMap } from "@aws-sdk/client-omics";
import { formatS3Uri } from "../../kit/s3-uri.ts";
import type { ParameterTemplate } from "../../workflow/inspection.ts";
import type { Place } from "../project/deploy-config.ts";
import type { Definition } from "../publish/create-version.ts";
import { REGISTRY_MAP_FILE } from "./own-mappings.ts";
import type { OpenBundle, ReleasedImages } from "./bundle.ts";
import { wayInto } from "./way.ts";

/** Where a bundle lies, and the images it runs with. */
interface Arrived {
  readonly bucket: string;
  readonly prefix: string;
  readonly place: Place;
  /** With the addresses that production reads. */
  readonly images: ReleasedImages;
}

/** What CreateWorkflowVersion is given in production: the bundle's own bytes, by S3. */
export async function definitionFrom({ record, file }: OpenBundle, { bucket, prefix, place, images }: Arrived): Promise<Definition> {
  const json = async (name: string) => JSON.parse((await file(name)).toString("utf8")) as unknown;
  const released = (await json(REGISTRY_MAP_FILE)) as ContainerRegistryMap;
  const registryMap = wayInto(place, record) === "copy" ? registryMapOfOwn(released, record.images, images) : released;
  const has = (name: string) => record.files.some((entry) => entry.name === name);
  const definition = record.files.find((entry) => entry.name === "definition.zip");
  const { engine, main, description, accelerators, storage } = record;
  return {
    name: record.workflow,
    engine,
    main,
    sha256: definition?.sha256 ?? "",
    parameterTemplate: (await json("parameter-template.json")) as ParameterTemplate,
    source: { uri: formatS3Uri({ bucket, key: `${prefix}/definition.zip` }), bucketOwner: place.account },
    ...(description && { description }),
    ...(accelerators && { accelerators }),
    ...(storage && { storage: { type: storage.type, ...(storage.capacity !== undefined && { capacity: storage.capacity }) } }),
    ...(has("README.md") && { readme: (await file("README.md")).toString("utf8") }),
    ...(Object.keys(registryMap).length > 0 && { registryMap }),
  };
}

/** The registry map with production's own images in place of the cicd account's. */
function registryMapOfOwn(map: ContainerRegistryMap, released: ReleasedImages, own: ReleasedImages): ContainerRegistryMap {
  const ownOf = new Map(released.map(({ target }, index) => [target, own[index]?.target]));
  const mapped = (map.imageMappings ?? []).map((mapping) => ({
    ...mapping,
    destinationImage: ownOf.get(mapping.destinationImage ?? "") ?? mapping.destinationImage,
  }));
  // An image that the definition names by its address in the cicd account needed no mapping there.
  const unmapped = released.flatMap(({ image, target }, index) =>
    image === target ? [{ sourceImage: image, destinationImage: own[index]?.target }] : [],
  );
  return { ...map, imageMappings: [...mapped, ...unmapped] };
}
