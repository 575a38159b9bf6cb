import { createServer } from "node:http";
import { S3Client } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { createObjects } from "../../src/aws/objects.ts";
import { patience } from "../../lambdas/patience.ts";

test("a service that does not answer is given up and asked again, instead of waited for", async () => {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    if (asked === 1) return;
    response.end("there");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    region: "eu-west-1",
    credentials: { accessKeyId: "id", secretAccessKey: "key" },
    requestHandler: patience(0.2),
  });
  onTestFinished(() => client.destroy());
  const stored = await createObjects(client, "bucket").read("key");
  expect([stored?.body, asked]).toEqual(["there", 2]);
});
