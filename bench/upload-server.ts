// Where artifacts go in a benchmark: a server that takes everything, and remembers of the last zip how many
// entries its end says it has.

import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface UploadServer {
  readonly url: string;
  lastZipEntries(): number;
  close(): Promise<void>;
}

/** A zip without a comment ends with its end record. */
const endRecordBytes = 22;
/** As the format says "see the larger record": so many, or more. */
const uncountable = 0xffff;

export async function startUploadServer(): Promise<UploadServer> {
  let entries = 0;
  const server = createServer((incoming, response) => {
    let tail = Buffer.alloc(0);
    incoming.on("data", (chunk: Buffer) => {
      tail = Buffer.from(
        Buffer.concat([tail, chunk.subarray(-endRecordBytes)]).subarray(-endRecordBytes),
      );
    });
    incoming.once("end", () => {
      const isEnd = tail.length === endRecordBytes && tail.readUInt32LE(0) === 0x06054b50;
      entries = isEnd ? tail.readUInt16LE(10) : 0;
      response.writeHead(201).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    lastZipEntries: () => (entries === uncountable ? Number.POSITIVE_INFINITY : entries),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export async function post(url: string, body: Readable): Promise<void> {
  const sending = request(url, { method: "POST" });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    sending.once("response", (response) => {
      response.resume().once("end", () => resolve(response.statusCode));
    });
    sending.once("error", reject);
  });
  await pipeline(body, sending);
  const status = await answered;
  if (status !== 201) throw new Error(`the upload was answered ${status}`);
}
