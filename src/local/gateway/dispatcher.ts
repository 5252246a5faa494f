import { parseAccountId } from "../../kit/account-id.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import { principalAccount, type Principal } from "../authorization/principal.ts";
import { notImplemented } from "./aws-error.ts";
import type { AnyOperation, Call, Dispatcher, Directory, InternalCall, Service } from "./service.ts";

export interface DispatcherOptions {
  readonly services: ReadonlyMap<string, Service>;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly random: Random;
  endpoint(): string;
}

/** Finds the operation, asks IAM, runs it: the one way into a service, from the wire and from inside. */
export function createDispatcher(
  options: DispatcherOptions,
): Dispatcher & { run(service: Service, name: string, input: unknown, call: Call): Promise<unknown> } {
  async function run(service: Service, name: string, input: unknown, call: Call): Promise<unknown> {
    const found: AnyOperation | undefined = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined;
    if (!found) throw notImplemented(service.name, name);
    for (const access of found.access(input, call)) options.directory.authorize(call.caller, access, call);
    return found.run(input, call);
  }
  return {
    run,
    async call<Output>(internal: InternalCall): Promise<Output> {
      const service = options.services.get(internal.service);
      if (!service) throw notImplemented(internal.service, internal.operation);
      const account = internal.account ?? principalAccount(internal.as);
      if (!account) throw new Error(`a call of ${internal.service}:${internal.operation} names no account`);
      const call: Call = {
        caller: internal.as,
        account: parseAccountId(account),
        region: internal.region,
        requestId: options.random.uuid(),
        endpoint: options.endpoint(),
        context: { ...globalContext(options.clock, internal.region), ...internal.context },
      };
      return (await run(service, internal.operation, internal.input, call)) as Output;
    },
  };
}

/** Condition keys every request has. Plain HTTP on loopback counts as a secure transport: it leaves no machine. */
export const globalContext = (clock: Clock, region: string): Record<string, string> => ({
  "aws:CurrentTime": clock.now().toISOString(),
  "aws:EpochTime": String(Math.floor(clock.now().getTime() / 1000)),
  "aws:SecureTransport": "true",
  "aws:RequestedRegion": region,
});

/** The account a caller's request addresses: the caller's own. */
export const accountOf = (principal: Principal, fallback: string): string => principalAccount(principal) ?? fallback;
