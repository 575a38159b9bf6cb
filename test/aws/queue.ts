// The queue of what failed, in moto: without a client for SQS, which the product has no use for.

import type { Account } from "./deployment.ts";

export interface Queue {
  readonly url: string;
  send(body: unknown): Promise<void>;
  /** Takes what is in it now. */
  receive(): Promise<readonly unknown[]>;
}

export async function openQueue(account: Account, name: string): Promise<Queue> {
  const call = async (action: string, input: unknown): Promise<Record<string, unknown>> => {
    const answer = await fetch(account.endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": `AmazonSQS.${action}`,
        authorization: `AWS4-HMAC-SHA256 Credential=LAMBDA/20260101/${account.region}/sqs/aws4_request, SignedHeaders=host, Signature=none`,
      },
      body: JSON.stringify(input),
    });
    const body = (await answer.json()) as Record<string, unknown>;
    if (!answer.ok) throw new Error(`SQS ${action}: ${JSON.stringify(body)}`);
    return body;
  };
  const { QueueUrl: url } = (await call("CreateQueue", { QueueName: name })) as {
    QueueUrl: string;
  };
  return {
    url,
    async send(body) {
      await call("SendMessage", { QueueUrl: url, MessageBody: JSON.stringify(body) });
    },
    async receive() {
      const { Messages = [] } = (await call("ReceiveMessage", {
        QueueUrl: url,
        MaxNumberOfMessages: 10,
      })) as { Messages?: readonly { readonly Body: string }[] };
      return Messages.map(({ Body }): unknown => JSON.parse(Body));
    },
  };
}
