import { systemClock } from "../../kit/clock.ts";
import { describeEvent } from "../../release/events.ts";
import { receiveBundle } from "../../release/promote/receive.ts";
import { environmentSettings } from "../settings.ts";
import { placeOf } from "../place.ts";

const settings = environmentSettings();

interface ObjectCreated {
  readonly account: string;
  readonly region: string;
  readonly detail: { readonly bucket: { readonly name: string }; readonly object: { readonly key: string } };
}

/** `release.json` arrived in the production bucket: verify the bundle, start its release. */
export const handler = async (event: ObjectCreated): Promise<{ readonly build?: string }> => {
  const { clients, target, deployment } = settings;
  const build = await receiveBundle(
    { clients, target, cicd: deployment.cicd, place: placeOf(event), clock: systemClock, emit: (happening) => process.stdout.write(`${describeEvent(happening)}\n`) },
    { bucket: event.detail.bucket.name, key: event.detail.object.key },
  );
  return build ? { build } : {};
};
