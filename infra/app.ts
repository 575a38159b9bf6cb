// The CDK app: `npx cdk deploy [-c env=prod]`.

import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { BurstStack } from "./burst-stack.ts";
import { readDeployment, reportMistakes } from "./settings.ts";

reportMistakes(() => {
  const app = new App({ autoSynth: false });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  new BurstStack(app, readDeployment(app.node));
  app.synth();
});
