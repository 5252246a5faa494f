/** Where and as whom to call AWS. */
export interface Target {
  readonly region: string;
  /** The local accounts; absent: AWS. */
  readonly endpoint?: string;
  /** @default the SDK's own chain: environment, config file, the machine's role */
  readonly credentials?: Credentials;
  /** A profile of the config file, where `credentials` is absent. */
  readonly profile?: string;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Whether the local accounts are meant. */
export const isLocal = ({ endpoint }: Target): boolean => endpoint !== undefined;

/** What every client of the SDK is made with. */
export const configOf = ({ region, endpoint, credentials, profile }: Target): Target =>
  ({ region, ...(endpoint && { endpoint }), ...(credentials && { credentials }), ...(profile && { profile }) });

/**
 * The same for a service that the SDK puts a prefix before the host of: HealthOmics "workflows-", synchronous
 * Step Functions "sync-". Nothing answers there locally.
 */
export const unprefixedConfigOf = (target: Target): Target & { readonly disableHostPrefix: boolean } => ({ ...configOf(target), disableHostPrefix: isLocal(target) });
