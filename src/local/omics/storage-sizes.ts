/** What static storage is sold in: 1,200 GiB or a multiple of 2,400 (guide, "Run storage types"). */
const SMALLEST_GIB = 1200;
const STEP_GIB = 2400;

/** Default of a run that names no capacity. */
export const DEFAULT_STATIC_GIB = SMALLEST_GIB;

/** The static storage that HealthOmics provisions for a request, in GiB: 1,000 → 1,200; 5,000 → 7,200. */
export function provisionedGib(requestedGib: number): number {
  return requestedGib <= SMALLEST_GIB ? SMALLEST_GIB : Math.ceil(requestedGib / STEP_GIB) * STEP_GIB;
}

/** What a run may fill: the file system keeps 7 % for itself (same page). */
export const usableBytes = (provisionedGib: number, bytesOfGib: number): number => Math.floor(provisionedGib * 0.93 * bytesOfGib);

/** A number of bytes as GiB, rounded up: what reports of used storage give. */
export const gibOf = (bytes: number): number => Math.ceil(bytes / 1024 ** 3);
