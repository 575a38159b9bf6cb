// Lambda in our words: hand a claim's name to the launcher and do not wait.

import type { LambdaClient } from "@aws-sdk/client-lambda";

export interface Functions {
  /** Resolves when Lambda has taken the event. Throws where it has not. */
  invoke(functionName: string, event: unknown): Promise<void>;
}

export declare function createFunctions(client: LambdaClient): Functions;
