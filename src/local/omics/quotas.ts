/** Quotas of an account and region. Defaults: guide, "Service quotas" and "Fixed quotas" (2026-10). */
export interface Quotas {
  readonly workflows: number;
  readonly versionsPerWorkflow: number;
  readonly runGroups: number;
  readonly storedRuns: number;
  readonly activeRunsDynamic: number;
  readonly activeRunsStatic: number;
  readonly tasksPerRun: number;
  readonly activeGpus: number;
  readonly runSeconds: number;
  readonly staticStorageGib: number;
  /** Bytes that count as one GiB of run storage. Smaller ones let a full file system be rehearsed. */
  readonly bytesOfStorageGib: number;
  /** Bytes of an image's layers, as the registry holds them; the second for tasks with GPUs. */
  readonly imageBytes: number;
  readonly gpuImageBytes: number;
  /** Bytes of a definition in the request, after base64. */
  readonly zipInRequestBytes: number;
  readonly zipInS3Bytes: number;
  readonly readmeBytes: number;
  readonly templateEntries: number;
  readonly templateBytes: number;
  readonly parameterBytes: number;
  readonly tags: number;
}

const MB = 1_000_000;
const GIB = 1024 ** 3;

export const defaultQuotas: Quotas = {
  workflows: 1000,
  versionsPerWorkflow: 1000,
  runGroups: 1000,
  storedRuns: 100_000,
  activeRunsDynamic: 50,
  activeRunsStatic: 10,
  tasksPerRun: 25,
  activeGpus: 12,
  runSeconds: 604_800,
  staticStorageGib: 9600,
  bytesOfStorageGib: GIB,
  imageBytes: 45 * GIB,
  gpuImageBytes: 95 * GIB,
  zipInRequestBytes: 4.4 * MB,
  zipInS3Bytes: 100 * MB,
  readmeBytes: 500 * 1024,
  templateEntries: 1000,
  templateBytes: 400_000,
  parameterBytes: 256_000,
  tags: 50,
};
