import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ClientConfig } from "../../testing/accounts.ts";

export interface BotoAnswer {
  readonly output?: Readonly<Record<string, unknown>>;
  readonly status?: number;
  readonly error?: { readonly code: string; readonly message: string; readonly status: number };
}

/** boto3, in a process of its own. */
export interface Boto extends Disposable {
  /** Sends an operation by its Python name; `wait:workflow_active` waits. */
  send(operation: string, input: object): Promise<BotoAnswer>;
}

/** A Python that has boto3 with the newest members of HealthOmics: OMX_BOTO3_PYTHON, or what PATH has; undefined where there is none. */
export function pythonWithBoto3(): string | undefined {
  const isNewEnough = "import boto3; assert tuple(map(int, boto3.__version__.split('.')[:2])) >= (1, 44)";
  return [process.env["OMX_BOTO3_PYTHON"], "python3", "python"].find((python) => {
    try {
      if (python) execFileSync(python, ["-c", isNewEnough], { stdio: "ignore" });
      return python !== undefined;
    } catch {
      return false;
    }
  });
}

export function openBoto(python: string, { endpoint, region, credentials }: ClientConfig): Boto {
  const child = spawn(
    python,
    [fileURLToPath(new URL("./boto.py", import.meta.url)), JSON.stringify({ endpoint, region, ...credentials })],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async send(operation, input) {
      child.stdin.write(`${JSON.stringify({ operation, input })}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`boto3 ended while it sent ${operation}`);
      return JSON.parse(value) as BotoAnswer;
    },
    [Symbol.dispose]() {
      child.kill();
    },
  };
}
