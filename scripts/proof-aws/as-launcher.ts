// A call with the launcher's own role, made where it is made otherwise: in a function.

import { InvokeCommand } from "@aws-sdk/client-lambda";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import * as z from "zod";

export interface LauncherCall {
  readonly service: "ecs" | "ssm" | "s3";
  readonly client: "ECSClient" | "SSMClient" | "S3Client";
  readonly command: string;
  readonly input: unknown;
  /** Parts of the answer that are wanted. */
  readonly keep?: readonly string[];
  /** An address instead of a call. */
  readonly sign?: true;
}

const answerSchema = z.object({
  kept: z.record(z.string(), z.unknown()).optional(),
  url: z.string().optional(),
  error: z.string().optional(),
  status: z.number().optional(),
});

export type LauncherAnswer = z.output<typeof answerSchema>;

export type AsLauncher = (call: LauncherCall) => Promise<LauncherAnswer>;

export function createAsLauncher(client: LambdaClient, functionName: string): AsLauncher {
  return async (call) => {
    const answer = await client.send(
      new InvokeCommand({
        FunctionName: functionName,
        Payload: new TextEncoder().encode(JSON.stringify(call)),
      }),
    );
    const text = new TextDecoder().decode(answer.Payload);
    if (answer.FunctionError !== undefined) throw new Error(`The proof's function failed: ${text}`);
    return answerSchema.parse(JSON.parse(text));
  };
}

/** Whether it was allowed, and what came of it. */
export function saidBy({ error, status }: LauncherAnswer): string {
  return error === undefined ? "allowed" : `${error} ${status ?? ""}`.trim();
}

export function isDenied({ error = "" }: LauncherAnswer): boolean {
  return /AccessDenied|Forbidden|UnauthorizedOperation|^403$/.test(error);
}
