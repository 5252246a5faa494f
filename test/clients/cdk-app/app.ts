import { App, Tags } from "aws-cdk-lib";
import { Ci } from "./ci.ts";
import { Data } from "./data.ts";

// What strangers write over these services; nothing of omx is in it. `-c version=2` changes what it deploys.
const app = new App();
const env = { account: "111122223333", region: "us-east-1" };
new Data(app, "Data", { env });
new Ci(app, "Ci", { env });
Tags.of(app).add("team", "lab");
