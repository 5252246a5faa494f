import type { AttachedPolicy } from "@aws-sdk/client-iam";

import { encodeRfc3986 } from "../gateway/sigv4-canonical.ts";
import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { inlineTooLarge, noSuchInlinePolicy, notAttachable, notAttached, quotaExceeded } from "./errors.ts";
import { managedDocument } from "./identity-policies.ts";
import { checkName, checkPolicy, page } from "./input-rules.ts";
import { findRole, onRole } from "./roles.ts";
import { type HolderKind, holding, type IamStore } from "./store.ts";
import { findUser, onUser } from "./users.ts";

const MOST_ATTACHED = 10;
/** Characters without white space of all inline policies together. */
const MOST_INLINE: Readonly<Record<HolderKind, number>> = { role: 10_240, user: 2048 };

/** The request members that roles and users have in common, with the name of the holder in one place. */
interface Input {
  readonly RoleName?: string;
  readonly UserName?: string;
  readonly PolicyName?: string;
  readonly PolicyDocument?: string;
  readonly PolicyArn?: string;
  readonly PathPrefix?: string;
  readonly Marker?: string;
  readonly MaxItems?: number;
}

interface Holder {
  readonly kind: HolderKind;
  /** `Role` or `User`: the middle of the operations' names. */
  readonly word: "Role" | "User";
  /** The holder's name as it was made. @throws AwsError NoSuchEntity */
  find(account: string, input: Input): string;
  access(
    action: string,
    context?: (input: Input) => Record<string, string>,
  ): (input: Input, call: Call) => ReturnType<ReturnType<typeof onRole>>;
}

/** Inline and attached policies, the same for roles and for users. */
export function heldPolicyOperations(store: IamStore): Readonly<Record<string, AnyOperation>> {
  const role: Holder = {
    kind: "role",
    word: "Role",
    find: (account, { RoleName }) => findRole(store, account, RoleName).name,
    access: (action, context) => (input, call) => onRole<Input>(store, action, context)(input, call),
  };
  const user: Holder = {
    kind: "user",
    word: "User",
    find: (account, { UserName }) => findUser(store, account, UserName).name,
    access: (action, context) => (input, call) => onUser<Input>(store, action, context)(input, call),
  };
  return { ...operationsOf(store, role), ...operationsOf(store, user) };
}

const operationsOf = (store: IamStore, holder: Holder): Readonly<Record<string, AnyOperation>> => ({
  [`Put${holder.word}Policy`]: putInline(store, holder),
  [`Get${holder.word}Policy`]: getInline(store, holder),
  [`Delete${holder.word}Policy`]: deleteInline(store, holder),
  [`List${holder.word}Policies`]: listInline(store, holder),
  [`Attach${holder.word}Policy`]: attach(store, holder),
  [`Detach${holder.word}Policy`]: detach(store, holder),
  [`ListAttached${holder.word}Policies`]: listAttached(store, holder),
});

const policyArnContext = ({ PolicyArn = "" }: Input): Record<string, string> => ({ "iam:PolicyARN": PolicyArn });

const putInline = (store: IamStore, { kind, word, find, access }: Holder) =>
  operation<Input, object>({
    access: access(`Put${word}Policy`),
    run(input, { account }) {
      const { PolicyName: name = "", PolicyDocument: document = "" } = input;
      const holder = find(account, input);
      checkName("policyName", name, 128);
      checkPolicy(document, "identity");
      const others = store.inline.list(holding(account, kind, holder)).filter(({ value }) => value.name !== name);
      const size = [...others.map(({ value }) => value.document), document].join("").replace(/\s+/g, "").length;
      if (size > MOST_INLINE[kind]) throw inlineTooLarge(kind, holder, MOST_INLINE[kind]);
      store.inline.put([...holding(account, kind, holder), name], { name, document });
      return {};
    },
  });

const getInline = (store: IamStore, { kind, word, find, access }: Holder) =>
  operation<Input, object>({
    access: access(`Get${word}Policy`),
    run(input, { account }) {
      const { PolicyName = "" } = input;
      const holder = find(account, input);
      const policy = store.inline.get([...holding(account, kind, holder), PolicyName]);
      if (!policy) throw noSuchInlinePolicy(kind, PolicyName);
      return { [`${word}Name`]: holder, PolicyName: policy.name, PolicyDocument: encodeRfc3986(policy.document) };
    },
  });

const deleteInline = (store: IamStore, { kind, word, find, access }: Holder) =>
  operation<Input, object>({
    access: access(`Delete${word}Policy`),
    run(input, { account }) {
      const { PolicyName = "" } = input;
      if (!store.inline.delete([...holding(account, kind, find(account, input)), PolicyName])) throw noSuchInlinePolicy(kind, PolicyName);
      return {};
    },
  });

const listInline = (store: IamStore, { kind, word, find, access }: Holder) =>
  operation<Input, object>({
    access: access(`List${word}Policies`),
    run(input, { account }) {
      const { items, rest } = page(store.inline.list(holding(account, kind, find(account, input))), input);
      return { PolicyNames: items.map(({ value }) => value.name), ...rest };
    },
  });

const attach = (store: IamStore, { kind, word, find, access }: Holder) =>
  operation<Input, object>({
    access: access(`Attach${word}Policy`, policyArnContext),
    run(input, { account }) {
      const { PolicyArn: policyArn = "" } = input;
      const name = find(account, input);
      if (!isAttachable(store, policyArn, account)) throw notAttachable(policyArn);
      const prefix = holding(account, kind, name);
      const others = store.attachments.list(prefix).filter(({ value }) => value.policyArn !== policyArn);
      if (others.length >= MOST_ATTACHED) throw quotaExceeded(`PoliciesPer${word}`, MOST_ATTACHED);
      store.attachments.put([...prefix, policyArn], { policyArn, holder: `${kind}/${name}` });
      return {};
    },
  });

// A customer managed policy belongs to its account.
const isAttachable = (store: IamStore, arn: string, account: string): boolean =>
  managedDocument(store, arn) !== undefined &&
  /^arn:aws:iam::(aws|\d{12}):/.exec(arn)?.[1] !== undefined &&
  ["aws", account].includes(arn.split(":")[4] ?? "");

const detach = (store: IamStore, { kind, word, find, access }: Holder) =>
  operation<Input, object>({
    access: access(`Detach${word}Policy`, policyArnContext),
    run(input, { account }) {
      const { PolicyArn = "" } = input;
      if (!store.attachments.delete([...holding(account, kind, find(account, input)), PolicyArn])) throw notAttached(PolicyArn);
      return {};
    },
  });

const listAttached = (store: IamStore, { kind, word, find, access }: Holder) =>
  operation<Input, { AttachedPolicies: AttachedPolicy[] }>({
    access: access(`ListAttached${word}Policies`),
    run(input, { account }) {
      const attached = store.attachments.list(holding(account, kind, find(account, input))).map(({ value }) => value.policyArn);
      const prefix = input.PathPrefix ?? "/";
      const { items, rest } = page(
        attached.filter((arn) => arn.slice(arn.indexOf(":policy/") + 7).startsWith(prefix)),
        input,
      );
      return {
        AttachedPolicies: items.map((PolicyArn) => ({ PolicyArn, PolicyName: PolicyArn.slice(PolicyArn.lastIndexOf("/") + 1) })),
        ...rest,
      };
    },
  });
