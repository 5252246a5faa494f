import type { Environment, LoggingConfig, TracingConfig } from "@aws-sdk/client-lambda";
import type { Collection, Database } from "../storage/database.ts";

/** A function as it is configured: what `$LATEST` is. */
export interface FunctionDocument {
  readonly arn: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly runtime: string;
  readonly handler: string;
  readonly roleArn: string;
  readonly description: string;
  /** Seconds. */
  readonly timeout: number;
  /** MB. */
  readonly memorySize: number;
  readonly environment: NonNullable<Environment["Variables"]>;
  /** Layer versions with their content, the first at the bottom: a version that is deleted goes on to work where it is used. */
  readonly layers: readonly { readonly arn: string; readonly code: Package }[];
  readonly architectures: readonly string[];
  readonly ephemeralStorageMb: number;
  readonly tracing: TracingConfig;
  readonly logging: LoggingConfig;
  readonly kmsKeyArn?: string;
  readonly code: Package;
  /** ISO time. */
  readonly lastModified: string;
  readonly revisionId: string;
  /** Statements of its resource policy. */
  readonly permissions: readonly PermissionStatement[];
  /** The most invocations at once; undefined for the default. */
  readonly reservedConcurrency?: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** A ZIP in the blob store. */
export interface Package {
  /** Hexadecimal, the blob's name. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** One statement of a function's policy, as GetPolicy shows it. */
export interface PermissionStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal: "*" | { readonly Service: string } | { readonly AWS: string };
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** One version of a layer. */
export interface LayerVersion {
  readonly arn: string;
  readonly layerArn: string;
  readonly name: string;
  readonly version: number;
  readonly account: string;
  readonly region: string;
  readonly description: string;
  readonly runtimes: readonly string[];
  readonly architectures: readonly string[];
  readonly license?: string;
  readonly code: Package;
  /** ISO time. */
  readonly createdAt: string;
}

/** An invocation that waits for its turn, or for its next attempt. */
export interface QueuedInvocation {
  readonly functionArn: string;
  /** JSON text. */
  readonly payload: string;
  readonly requestId: string;
  /** Attempts that ended. */
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly nextMs: number;
}

/** Everything Lambda remembers. */
export interface Store {
  /** Key: account, region, function. */
  readonly functions: Collection<FunctionDocument>;
  /** Key: account, region, layer, {@link versionKey}. */
  readonly layers: Collection<LayerVersion>;
  /** The newest version number a layer ever had: numbers are not given twice. Key: account, region, layer. */
  readonly layerNumbers: Collection<number>;
  /** Key: the invocation's request id. */
  readonly queue: Collection<QueuedInvocation>;
  transaction<R>(work: () => R): R;
}

export const createStore = (database: Database): Store => ({
  functions: database.collection("lambda.functions"),
  layers: database.collection("lambda.layers"),
  layerNumbers: database.collection("lambda.layerNumbers"),
  queue: database.collection("lambda.queue"),
  transaction: (work) => database.transaction(work),
});

export const functionKey = ({ account, region, name }: Pick<FunctionDocument, "account" | "region" | "name">) =>
  [account, region, name] as const;

/** Versions in the order of their numbers. */
export const versionKey = (version: number): string => String(version).padStart(10, "0");
