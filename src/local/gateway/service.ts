import type { Readable } from "node:stream";
import type { AccountId } from "../../kit/account-id.ts";
import type { Clock } from "../../kit/clock.ts";
import type { ProxySettings } from "../../kit/proxy.ts";
import type { Random } from "../../kit/random.ts";
import type { Principal } from "../authorization/principal.ts";
import type { Children } from "../children/children.ts";
import type { BlobStore } from "../storage/blobs.ts";
import type { Database } from "../storage/database.ts";
import type { SignedInIdentity } from "../config-file.ts";
import type { Outbox } from "../events/outbox.ts";
import type { ResourceProvider } from "../cloudformation/resource-provider.ts";

/** One call, as an operation sees it. */
export interface Call {
  /** Who calls. */
  readonly caller: Principal;
  /** The account whose resources are addressed: the caller's own unless the resource names another. */
  readonly account: AccountId;
  readonly region: string;
  /** Also in the answer's `x-amzn-requestid`. */
  readonly requestId: string;
  /** Where clients reach the local accounts: `http://127.0.0.1:PORT`, no slash at the end. */
  readonly endpoint: string;
  /** Values of global condition keys of this request (aws:SourceIp, aws:SecureTransport, …). */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  /** Set for a request over HTTP that carries a body as a stream. */
  readonly http?: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly rawPath: string;
    readonly rawQuery: string;
  };
}

/** A policy that belongs to a resource, and the account that owns the resource. */
export interface ResourcePolicy {
  /** The JSON text as it was put; undefined when the resource has none. */
  readonly document: string | undefined;
  /** Named in denials: "bucket policy of x". */
  readonly name: string;
  readonly account: string;
  /** `key`: KMS's rule, the key policy alone decides unless it delegates to the account. `trust`: a role's trust policy. */
  readonly mode?: "resource" | "key" | "trust";
}

/** What IAM must allow before an operation runs. */
export interface Access {
  /** `ecr:CreateRepository` */
  readonly action: string;
  /** The ARN, or `*` for actions that know no resource. */
  readonly resource: string;
  /** Values of service condition keys: `iam:PassedToService`, `s3:prefix`, `aws:RequestTag/x`, … */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  readonly resourcePolicy?: ResourcePolicy;
}

/** One operation of a service's API. Routes translate; `run` decides. */
export interface Operation<Input, Output> {
  /** Everything that must be allowed. An empty list is an operation anyone who is signed in may call. */
  access(input: Input, call: Call): readonly Access[];
  /** @throws AwsError in the service's own words */
  run(input: Input, call: Call): Output | Promise<Output>;
}

// The dispatcher holds operations of every type; the type of each is checked where it is declared (`operation`).
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyOperation = Operation<any, any>;

/** Declares an operation with the SDK's input and output types: `operation<CreateRepositoryRequest, CreateRepositoryResponse>({…})`. */
export const operation = <Input, Output>(declared: Operation<Input, Output>): Operation<Input, Output> => declared;

/** A request on its way to a service that reads HTTP by itself (the registry, Git, HealthOmics's own routes). */
export interface WireRequest {
  readonly method: string;
  /** Undecoded path. */
  readonly path: string;
  /** Undecoded, without the question mark. */
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body: decoded where it was aws-chunked, its signature and checksums verified while it is read. */
  readonly body: Readable;
  /** The same body where it was read whole to verify the signature: everywhere but S3 and the paths. */
  readonly bytes?: Buffer;
}

/** A part of the URL space that a service reads and authenticates by itself: the registry's `/v2/`, Git's `/v1/repos/`. */
export interface PathHandler {
  readonly prefix: string;
  handle(request: WireRequest): Promise<WireResponse>;
}

export interface WireResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable;
}

/** How a service's operations travel: the SDK's own model, or HTTP read by the service. */
export type Wire =
  | {
      readonly kind: "sdk";
      readonly protocol: "json1.0" | "json1.1" | "rest-json" | "rest-xml" | "query";
      readonly model: () => Promise<object>;
    }
  | { readonly kind: "http"; route(request: WireRequest): Route | undefined };

/** Which operation a request asks for, and how its answer is written. */
export interface Route {
  readonly operation: string;
  input(): Promise<unknown>;
  output(result: unknown): WireResponse;
  error(error: AwsErrorLike, requestId: string): WireResponse;
}

export interface AwsErrorLike {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Of the answer, beside those of every error. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One AWS service of the local accounts. */
export interface Service {
  /** The name in SigV4's credential scope: `ecr`, `states`, `omics`, `s3`. */
  readonly name: string;
  readonly wire: Wire;
  readonly operations: Readonly<Record<string, AnyOperation>>;
  readonly paths?: readonly PathHandler[];
  /** CloudFormation types that this service owns. */
  readonly resources?: readonly ResourceProvider[];
  /** Digests (sha256, hex) of every blob its documents refer to; what nobody names is swept. */
  blobsInUse?(): Iterable<string>;
  /**
   * Told of every event of the default bus once, in the transaction that takes it off the outbox: what services know of each
   * other beside EventBridge's rules. Must not wait; what it starts begins after the transaction.
   */
  onEvent?(event: AwsEvent): void;
  /** Called once after start, when every service is there: resume or honestly fail what was interrupted. */
  recover?(): void | Promise<void>;
  /** Called at an ordered stop, in reverse order of start. */
  stop?(): void | Promise<void>;
}

/** A request from inside: a service calling another one, always as somebody, always under IAM. */
export interface InternalCall {
  readonly service: string;
  readonly operation: string;
  readonly input: unknown;
  readonly as: Principal;
  readonly region: string;
  /** The account addressed; the principal's own by default. */
  readonly account?: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

/** Calls operations in process, through the same authorization as a request over HTTP. */
export interface Dispatcher {
  /** @throws AwsError: the operation's own, AccessDenied, or 501 when nobody serves it */
  call<Output = unknown>(call: InternalCall): Promise<Output>;
}

/** An event for EventBridge's default bus of an account. */
export interface AwsEvent {
  readonly account: string;
  readonly region: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly resources: readonly string[];
}

/** Where services write CloudWatch log events, on their own behalf (as AWS services do). Creates group and stream. */
export interface LogSink {
  append(
    stream: { readonly account: string; readonly region: string; readonly group: string; readonly stream: string },
    messages: readonly string[],
  ): void;
}

/** Identities: served by `iam` and `sts`, asked by the gateway and by services that assume roles. */
export interface Directory {
  /** The key's secret and whom it signs for; undefined when nobody has it. */
  credential(accessKeyId: string): Credential | undefined;
  /**
   * The principal of a role session that a service takes.
   * @throws AwsError AccessDenied when the role's trust policy does not let `service` in
   */
  assumeAsService(request: ServiceSession): Principal;
  /** Keys for a child process that works as `principal` (a build, a function). */
  issue(principal: Principal, seconds: number): SessionKeys;
  /** The users that exist from the start, with their secrets. */
  identities(): readonly SignedInIdentity[];
  /** The first user or role of the local accounts that a valid policy names and that is not there: AWS refuses such a policy when it is put. */
  missingPrincipal(document: string): string | undefined;
  /** Whether the request is allowed. @throws AwsError AccessDenied (or `code`) naming the deciding statement or its lack */
  authorize(principal: Principal, access: Access, call: Pick<Call, "context" | "region">, code?: string): void;
}

export interface Credential {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly principal: Principal;
  readonly expires?: Date;
}

export interface SessionKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

export interface ServiceSession {
  /** `states.amazonaws.com` */
  readonly service: string;
  readonly roleArn: string;
  readonly sessionName: string;
  /** The resource on whose behalf: aws:SourceArn and, from its account, aws:SourceAccount. */
  readonly sourceArn?: string;
}

/** What every service is made with. */
export interface Core {
  readonly clock: Clock;
  readonly random: Random;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly children: Children;
  readonly dispatcher: Dispatcher;
  readonly directory: Directory;
  readonly logs: LogSink;
  /** The CloudFormation types of all services; known once all are made. */
  resourceProviders(): readonly ResourceProvider[];
  /** Tells all services of an event of the bus. */
  announce(event: AwsEvent): void;
  /** Puts an event on the account's default bus; durable once the surrounding transaction is. */
  emit(event: AwsEvent): void;
  /** Where emitted events wait; the event service alone reads it. */
  readonly outbox: Outbox;
  /** `http://127.0.0.1:PORT`; known from the first request on, also in `recover`. */
  endpoint(): string;
  /** The folder that holds everything; a service may keep work files under `work/<service>/`. */
  readonly dataDir: string;
  readonly settings: Settings;
  /** One line for the operator's log: never a secret. */
  log(service: string, message: string): void;
  /** Runs work that outlives the request; an error in it is logged, never swallowed. The signal aborts at stop. */
  background(name: string, work: (signal: AbortSignal) => Promise<void>): void;
}

/** The configuration of the local accounts, parsed once. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly region: string;
  readonly accounts: readonly { readonly id: AccountId; readonly name: string }[];
  /** Upstream registries: `quay.io` → `http://127.0.0.1:5001`. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** Where tasks and RUN lines execute; `auto` asks the machine. */
  readonly containers: "auto" | "docker" | "podman" | "host";
  /** PATH and HOME of the machine and how its container engine is reached, for child processes: the environment is read once, in `cli`. */
  readonly environment: Readonly<Record<string, string>>;
  /** How the network lets its users out, to upstream registries. @default - directly */
  readonly proxy?: ProxySettings;
}

/** Makes a service. Called once at start, in the order of `services.ts`. */
export type ServiceFactory = (core: Core) => Service;
