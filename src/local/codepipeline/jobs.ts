import type { PutJobFailureResultInput, PutJobSuccessResultInput } from "@aws-sdk/client-codepipeline";
import { notImplemented } from "../gateway/aws-error.ts";
import { type Call, type Core, operation } from "../gateway/service.ts";
import { jobNotFound } from "./errors.ts";
import type { ActionExecution, Store } from "./store.ts";

/** What the functions of Invoke actions answer: PutJobSuccessResult, PutJobFailureResult. */
export function jobOperations(core: Core, store: Store) {
  // IAM knows no resource for these (service-authorization reference of CodePipeline).
  const access = (action: string) => () => [{ action: `codepipeline:${action}`, resource: "*" }];
  const answer = (call: Call, jobId: string | undefined, jobResult: NonNullable<ActionExecution["jobResult"]>): object => {
    const [job] = store.actions.find("job", `${call.account}/${call.region}/${jobId}`);
    if (!job) throw jobNotFound(jobId ?? "");
    store.actions.put(job.key, { ...job.value, jobResult, updated: core.clock.now().toISOString() });
    return {};
  };
  return {
    PutJobSuccessResult: operation<PutJobSuccessResultInput, object>({
      access: access("PutJobSuccessResult"),
      run(input, call) {
        if (input.continuationToken) throw notImplemented("codepipeline", "PutJobSuccessResult with a continuation token");
        const { outputVariables: variables, executionDetails } = input;
        return answer(call, input.jobId, {
          ...(variables && { variables }),
          ...(executionDetails?.summary && { summary: executionDetails.summary }),
        });
      },
    }),
    PutJobFailureResult: operation<PutJobFailureResultInput, object>({
      access: access("PutJobFailureResult"),
      run: (input, call) =>
        answer(call, input.jobId, {
          failure: { type: input.failureDetails?.type ?? "JobFailed", message: input.failureDetails?.message ?? "" },
        }),
    }),
  };
}
