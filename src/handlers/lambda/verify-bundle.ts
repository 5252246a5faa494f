import { systemClock } from "../../kit/clock.ts";
import { describeEvent } from "../../release/events.ts";
import { answerForBuild } from "../../release/promote/lost-build.ts";
import type { ProductionEnvironment } from "../../release/promote/production-environment.ts";
import { receiveBundle } from "../../release/promote/receive.ts";
import { environmentSettings } from "../settings.ts";
import { placeOf } from "../place.ts";

const settings = environmentSettings();

interface ObjectCreated {
  readonly account: string;
  readonly region: string;
  readonly detail: { readonly bucket: { readonly name: string }; readonly object: { readonly key: string } };
}

interface BuildEnded {
  readonly account: string;
  readonly region: string;
  readonly detail: { readonly "build-id": string };
}

/** `release.json` arrived in the production bucket: verify the bundle, start its release. Or that ended badly: see that it is answered. */
export const handler = async (event: ObjectCreated | BuildEnded): Promise<{ readonly build?: string; readonly answered?: boolean }> => {
  const { clients, target, deployment } = settings;
  const env: ProductionEnvironment = {
    clients,
    target,
    cicd: deployment.cicd,
    place: placeOf(event),
    clock: systemClock,
    emit: (happening) => process.stdout.write(`${describeEvent(happening)}\n`),
  };
  // EventBridge gives a build's ARN, which ends in its id.
  if ("build-id" in event.detail)
    return { answered: (await answerForBuild(env, event.detail["build-id"].replace(/^.*:build\//, ""))) !== undefined };
  const build = await receiveBundle(env, { bucket: event.detail.bucket.name, key: event.detail.object.key });
  return build ? { build } : {};
};
