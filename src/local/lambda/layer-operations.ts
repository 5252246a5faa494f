import type {
  DeleteLayerVersionRequest,
  GetLayerVersionByArnRequest,
  GetLayerVersionRequest,
  GetLayerVersionResponse,
  LayerVersionsListItem,
  ListLayersRequest,
  ListLayersResponse,
  ListLayerVersionsRequest,
  ListLayerVersionsResponse,
  PublishLayerVersionRequest,
  PublishLayerVersionResponse,
} from "@aws-sdk/client-lambda";
import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { receivePackage } from "./code.ts";
import { invalidValue, layerNotFound } from "./errors.ts";
import { layerArn, parseLayerVersion } from "./names.ts";
import type { Lambda } from "./service-parts.ts";
import { type LayerVersion, versionKey } from "./store.ts";

/** The name of a layer that is given by its name or its ARN. */
const nameOf = (text = ""): string => text.split(":").at(-1) ?? text;

/** Operations on layers. */
export const layerOperations = (lambda: Lambda): Readonly<Record<string, AnyOperation>> => {
  const versionAccess =
    (action: string) =>
    ({ LayerName, VersionNumber }: GetLayerVersionRequest, call: Call) => [
      { action: `lambda:${action}`, resource: `${layerArn(call, nameOf(LayerName))}:${VersionNumber}` },
    ];
  return {
    PublishLayerVersion: operation<PublishLayerVersionRequest, PublishLayerVersionResponse>({
      access: ({ LayerName }, call) => [{ action: "lambda:PublishLayerVersion", resource: layerArn(call, nameOf(LayerName)) }],
      run: (input, call) => publish(lambda, input, call),
    }),
    GetLayerVersion: operation<GetLayerVersionRequest, GetLayerVersionResponse>({
      access: versionAccess("GetLayerVersion"),
      run: ({ LayerName, VersionNumber }, call) =>
        describe(lambda, find(lambda, `${layerArn(call, nameOf(LayerName))}:${VersionNumber}`), call),
    }),
    GetLayerVersionByArn: operation<GetLayerVersionByArnRequest, GetLayerVersionResponse>({
      access: ({ Arn = "" }) => [{ action: "lambda:GetLayerVersion", resource: Arn }],
      run: ({ Arn = "" }, call) => describe(lambda, find(lambda, Arn), call),
    }),
    DeleteLayerVersion: operation<DeleteLayerVersionRequest, object>({
      access: versionAccess("DeleteLayerVersion"),
      run({ LayerName, VersionNumber = 0 }, { account, region }) {
        lambda.store.layers.delete([account, region, nameOf(LayerName), versionKey(VersionNumber)]);
        return {};
      },
    }),
    ListLayerVersions: operation<ListLayerVersionsRequest, ListLayerVersionsResponse>({
      access: ({ LayerName }, call) => [{ action: "lambda:ListLayerVersions", resource: layerArn(call, nameOf(LayerName)) }],
      run: ({ LayerName }, { account, region }) => ({
        LayerVersions: lambda.store.layers.list([account, region, nameOf(LayerName)], { reverse: true }).map(({ value }) => toItem(value)),
      }),
    }),
    ListLayers: operation<ListLayersRequest, ListLayersResponse>({
      access: () => [{ action: "lambda:ListLayers", resource: "*" }],
      run: (_, { account, region }) => list(lambda, account, region),
    }),
  };
};

async function publish(lambda: Lambda, input: PublishLayerVersionRequest, call: Call): Promise<PublishLayerVersionResponse> {
  const { store, core } = lambda;
  const name = nameOf(input.LayerName);
  if (!/^[A-Za-z0-9_-]{1,140}$/.test(name)) throw invalidValue(`"${name}" is not the name of a layer`);
  const code = await receivePackage(core, input.Content ?? {}, call);
  const place = [call.account, call.region, name];
  const layer = store.transaction(() => {
    const version = (store.layerNumbers.get(place) ?? 0) + 1;
    const made: LayerVersion = {
      arn: `${layerArn(call, name)}:${version}`,
      layerArn: layerArn(call, name),
      name,
      version,
      account: call.account,
      region: call.region,
      description: input.Description ?? "",
      runtimes: input.CompatibleRuntimes ?? [],
      architectures: input.CompatibleArchitectures ?? [],
      code,
      createdAt: core.clock.now().toISOString(),
      ...(input.LicenseInfo !== undefined && { license: input.LicenseInfo }),
    };
    store.layerNumbers.put(place, version);
    store.layers.put([...place, versionKey(version)], made);
    return made;
  });
  return describe(lambda, layer, call);
}

function find({ store }: Lambda, arn: string): LayerVersion {
  const named = parseLayerVersion(arn);
  const layer = named && store.layers.get([named.account, named.region, named.name, versionKey(named.version)]);
  if (layer === undefined) throw layerNotFound(arn);
  return layer;
}

const toItem = (layer: LayerVersion): LayerVersionsListItem => ({
  LayerVersionArn: layer.arn,
  Version: layer.version,
  Description: layer.description,
  CreatedDate: layer.createdAt.replace("Z", "+0000"),
  CompatibleRuntimes: layer.runtimes as NonNullable<LayerVersionsListItem["CompatibleRuntimes"]>,
  CompatibleArchitectures: layer.architectures as NonNullable<LayerVersionsListItem["CompatibleArchitectures"]>,
  ...(layer.license !== undefined && { LicenseInfo: layer.license }),
});

function describe({ core, downloads }: Lambda, layer: LayerVersion, call: Call): GetLayerVersionResponse {
  const token = core.random.hex(32);
  downloads.set(token, layer.code.sha256);
  const Content = {
    Location: `${call.endpoint}/_lambda/code/${token}`,
    CodeSha256: Buffer.from(layer.code.sha256, "hex").toString("base64"),
    CodeSize: layer.code.sizeBytes,
  };
  return { ...toItem(layer), LayerArn: layer.layerArn, Content };
}

function list({ store }: Lambda, account: string, region: string): ListLayersResponse {
  const newest = new Map(store.layers.list([account, region]).map(({ value }) => [value.name, value]));
  return {
    Layers: [...newest.values()].map((layer) => ({
      LayerName: layer.name,
      LayerArn: layer.layerArn,
      LatestMatchingVersion: toItem(layer),
    })),
  };
}
