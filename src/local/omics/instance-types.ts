/** What a task asks for, in whole units. */
export interface Resources {
  readonly cpus: number;
  readonly memoryGib: number;
  readonly gpus: number;
  /** As the definition writes it: `nvidia-tesla-t4-a10g`. */
  readonly accelerator?: string;
}

interface Instance {
  readonly name: string;
  readonly cpus: number;
  readonly memoryGib: number;
  readonly gpus: number;
}

// Source of all tables: guide, "Compute and memory requirements for HealthOmics tasks".

const SIZES: readonly (readonly [string, number])[] = [
  ["large", 2],
  ["xlarge", 4],
  ["2xlarge", 8],
  ["4xlarge", 16],
  ["8xlarge", 32],
  ["12xlarge", 48],
  ["16xlarge", 64],
  ["24xlarge", 96],
  ["32xlarge", 128],
  ["48xlarge", 192],
];

/** GiB for each vCPU, in the order in which families are tried. */
const FAMILIES: readonly (readonly [string, number])[] = [
  ["c", 2],
  ["m", 4],
  ["r", 8],
];

const LARGEST_REGIONS = new Set(["us-west-2", "us-east-1", "ap-northeast-2", "ap-northeast-1", "us-east-2"]);

const cpuInstances = (region: string): readonly Instance[] =>
  SIZES.filter(([, cpus]) => cpus < 128 || LARGEST_REGIONS.has(region)).flatMap(([size, cpus]) =>
    FAMILIES.map(([family, perCpu]) => ({ name: `omics.${family}.${size}`, cpus, memoryGib: cpus * perCpu, gpus: 0 })),
  );

const GPU_SIZES: readonly (readonly [string, number, number])[] = [
  ["xlarge", 4, 1],
  ["2xlarge", 8, 1],
  ["4xlarge", 16, 1],
  ["8xlarge", 32, 1],
  ["16xlarge", 64, 1],
  ["12xlarge", 48, 4],
  ["24xlarge", 96, 4],
];

function gpuInstances(family: string): readonly Instance[] {
  const perCpu = family === "g6e" ? 8 : 4;
  const sizes = family === "g4dn" ? GPU_SIZES.filter(([size]) => size !== "24xlarge") : GPU_SIZES;
  return sizes.map(([size, cpus, gpus]) => ({ name: `omics.${family}.${size}`, cpus, memoryGib: cpus * perCpu, gpus }));
}

/** Families by accelerator name, cheaper first but for t4-a10g-l4, which takes the newest first. */
const ACCELERATORS: Readonly<Record<string, readonly string[]>> = {
  "nvidia-tesla-t4": ["g4dn"],
  "nvidia-tesla-t4-a10g": ["g4dn", "g5"],
  "nvidia-tesla-a10g": ["g5"],
  "nvidia-t4-a10g-l4": ["g6", "g5", "g4dn"],
  "nvidia-l4-a10g": ["g6", "g5"],
  "nvidia-l4": ["g6"],
  "nvidia-l40s": ["g6e"],
};

/** The smallest instance that holds the request; undefined when none does, or the accelerator's name is unknown. */
export function instanceTypeOf(request: Resources, region: string): string | undefined {
  const instances = request.gpus === 0 ? cpuInstances(region) : (ACCELERATORS[request.accelerator ?? ""] ?? []).flatMap(gpuInstances);
  return instances.find((instance) => holds(instance, request))?.name;
}

const holds = (instance: Instance, { cpus, memoryGib, gpus }: Resources): boolean =>
  instance.cpus >= cpus && instance.memoryGib >= memoryGib && instance.gpus >= gpus;
