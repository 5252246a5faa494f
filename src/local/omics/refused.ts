import { operations } from "../../model/generated/tables.ts";
import type { OperationName } from "../../model/validate.ts";
import { notImplemented } from "../gateway/aws-error.ts";
import type { AnyOperation } from "../gateway/service.ts";
import { anyArn } from "./arns.ts";
import { declare } from "./declare.ts";
import type { Omics } from "./omics.ts";

/** The operations that nobody wrote yet: their requests are validated, then they answer 501 by name. */
export function refusedOperations({ core }: Omics, served: Readonly<Record<string, AnyOperation>>): Readonly<Record<string, AnyOperation>> {
  const names = (Object.keys(operations) as readonly OperationName[]).filter((name) => !(name in served));
  return Object.fromEntries(
    names.map((name) => [
      name,
      declare<object, never>(name, core.random, {
        access: () => [{ action: `omics:${name}`, resource: anyArn }],
        run() {
          throw notImplemented("omics", name);
        },
      }),
    ]),
  );
}
