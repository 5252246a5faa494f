import type {
  GetAccessKeyInfoRequest,
  GetAccessKeyInfoResponse,
  GetCallerIdentityRequest,
  GetCallerIdentityResponse,
  GetSessionTokenRequest,
  GetSessionTokenResponse,
} from "@aws-sdk/client-sts";

import { principalAccount, principalArn, principalUserId } from "../authorization/principal.ts";
import { type AnyOperation, type Core, operation } from "../gateway/service.ts";
import type { IamStore } from "../iam/store.ts";
import { assumeRole } from "./assume-role.ts";
import { sessionGetsNoSession, validationError } from "./errors.ts";

const SESSION_SECONDS = { shortest: 900, usual: 43_200, longest: 129_600 };

const getCallerIdentity = operation<GetCallerIdentityRequest, GetCallerIdentityResponse>({
  access: () => [],
  run: (_input, { caller, account }) => ({
    UserId: principalUserId(caller) ?? principalArn(caller),
    Account: principalAccount(caller) ?? account,
    Arn: principalArn(caller),
  }),
});

const getSessionToken = (core: Core) =>
  operation<GetSessionTokenRequest, GetSessionTokenResponse>({
    access: () => [],
    run({ DurationSeconds: seconds = SESSION_SECONDS.usual }, { caller }) {
      if (caller.kind !== "user" || caller.session) throw sessionGetsNoSession();
      if (seconds < SESSION_SECONDS.shortest || seconds > SESSION_SECONDS.longest)
        throw validationError(
          `1 validation error detected: Value '${seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value between ${SESSION_SECONDS.shortest} and ${SESSION_SECONDS.longest}`,
        );
      const keys = core.directory.issue({ ...caller, session: {} }, seconds);
      return {
        Credentials: {
          AccessKeyId: keys.accessKeyId,
          SecretAccessKey: keys.secretAccessKey,
          SessionToken: keys.sessionToken,
          Expiration: keys.expiration,
        },
      };
    },
  });

const getAccessKeyInfo = (core: Core) =>
  operation<GetAccessKeyInfoRequest, GetAccessKeyInfoResponse>({
    access: () => [{ action: "sts:GetAccessKeyInfo", resource: "*" }],
    run({ AccessKeyId = "" }) {
      const credential = core.directory.credential(AccessKeyId);
      const account = credential && principalAccount(credential.principal);
      if (!account) throw validationError(`The access key id ${AccessKeyId} is not one of the local accounts.`);
      return { Account: account };
    },
  });

/** The operations of STS. */
export const stsOperations = (core: Core, store: IamStore): Readonly<Record<string, AnyOperation>> => ({
  AssumeRole: assumeRole(core, store),
  GetAccessKeyInfo: getAccessKeyInfo(core),
  GetCallerIdentity: getCallerIdentity,
  GetSessionToken: getSessionToken(core),
});
