// Lambda in our words: hand a claim's name to the launcher and do not wait.

import { InvokeCommand } from "@aws-sdk/client-lambda";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { RunnerError } from "../core/errors.ts";

export interface Functions {
  /** Resolves when Lambda has taken the event. Throws where it has not. */
  invoke(functionName: string, event: unknown): Promise<void>;
}

export function createFunctions(client: LambdaClient): Functions {
  return {
    invoke: async (functionName, event) => {
      const answer = await client.send(
        new InvokeCommand({
          FunctionName: functionName,
          InvocationType: "Event",
          Payload: new TextEncoder().encode(JSON.stringify(event)),
        }),
      );
      if (answer.StatusCode === 202) return;
      throw new RunnerError(
        "runner_system_failure",
        `Lambda answered ${answer.StatusCode ?? "nothing"} to an event for ${functionName}, and 202 says that it has it`,
      );
    },
  };
}
