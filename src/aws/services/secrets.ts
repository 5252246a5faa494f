import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { configOf, type Target } from "../target.ts";

export const secrets = (target: Target): SecretsManagerClient => new SecretsManagerClient(configOf(target));
