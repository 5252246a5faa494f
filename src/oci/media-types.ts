/** OCI's media types and Docker's, which mean the same and are both in every registry. */
export const MEDIA_TYPES = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayerTar: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  ociEmpty: "application/vnd.oci.empty.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerSchema1: "application/vnd.docker.distribution.manifest.v1+prettyjws",
} as const;

/** What a client asks for: without the list types a registry converts an index to one platform's manifest. */
export const ACCEPTED_MANIFESTS: string = [
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.dockerList,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.dockerManifest,
  "*/*",
].join(", ");

/** Whether the type is a list of manifests, one for each platform. */
export const isIndexType = (mediaType: string): boolean => mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerList;

/** Whether the type is one image's manifest. */
export const isManifestType = (mediaType: string): boolean =>
  mediaType === MEDIA_TYPES.ociManifest || mediaType === MEDIA_TYPES.dockerManifest;

/** Whether the bytes of a layer lie elsewhere, at addresses that it names, and no registry stores them (old Windows images). */
export const isForeignLayer = ({ mediaType, urls = [] }: { readonly mediaType: string; readonly urls?: readonly string[] }): boolean =>
  urls.length > 0 && /\.foreign\.|\.nondistributable\./.test(mediaType);
