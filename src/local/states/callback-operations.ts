import type { SendTaskFailureInput, SendTaskHeartbeatInput, SendTaskSuccessInput } from "@aws-sdk/client-sfn";
import { type Access, type AnyOperation, operation } from "../gateway/service.ts";
import { type Json, parseJson } from "./asl/json.ts";
import { invalidOutput } from "./errors.ts";
import type { States } from "./service-parts.ts";

/** What the holder of a task token sends. The action's resource is the state machine the token belongs to. */
export const callbackOperations = (states: States): Readonly<Record<string, AnyOperation>> => {
  const access =
    (action: string) =>
    ({ taskToken = "" }: { readonly taskToken?: string | undefined }): readonly Access[] => [
      { action: `states:${action}`, resource: states.store.callbacks.get([taskToken])?.stateMachineArn ?? "*" },
    ];
  return {
    SendTaskSuccess: operation<SendTaskSuccessInput, object>({
      access: access("SendTaskSuccess"),
      run({ taskToken = "", output = "" }) {
        states.callbacks.settle(taskToken, { state: "SUCCEEDED", output: readOutput(output) });
        return {};
      },
    }),
    SendTaskFailure: operation<SendTaskFailureInput, object>({
      access: access("SendTaskFailure"),
      run({ taskToken = "", error, cause }) {
        states.callbacks.settle(taskToken, {
          state: "FAILED",
          ...(error !== undefined && { error }),
          ...(cause !== undefined && { cause }),
        });
        return {};
      },
    }),
    SendTaskHeartbeat: operation<SendTaskHeartbeatInput, object>({
      access: access("SendTaskHeartbeat"),
      run({ taskToken = "" }) {
        states.callbacks.heartbeat(taskToken);
        return {};
      },
    }),
  };
};

function readOutput(text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    throw invalidOutput((error as Error).message);
  }
}
