// Small texts in the state bucket, by presigned addresses. One request each: how often to ask again, and what no answer
// means, is for those to say who ask.

import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { Grants } from "../../core/hand-off.ts";
import type { Environment } from "../../gitlab/proxy.ts";
import type { Trust } from "../../gitlab/trust.ts";
import { callPresigned } from "../cache/presigned-request.ts";
import type {
  PresignedCall,
  PresignedReply,
  PresignedRequest,
} from "../cache/presigned-request.ts";

export type Address = Grants["started"];

export type StorageRead =
  | { readonly kind: "text"; readonly text: string }
  | Exclude<PresignedReply, { kind: "done" }>;

export interface Storage {
  read(address: Address): Promise<StorageRead>;
  write(address: Address, text: string): Promise<PresignedReply>;
}

export interface StorageOptions {
  readonly trust: Trust;
  /** Where proxies are looked up. */
  readonly env: Environment;
  /** Of one request. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export function openStorage(options: StorageOptions): Storage {
  const { trust, env, timeoutSeconds, signal, sleep } = options;
  const callOf = (method: PresignedCall["method"], address: Address): PresignedCall => ({
    network: { trust, env },
    method,
    request: requestOf(address),
    timeoutSeconds,
    attempts: 1,
    signal,
    sleep,
  });
  return {
    async read(address) {
      let text = "";
      const reply = await callPresigned({
        ...callOf("GET", address),
        receive: async (body) => {
          text = (await buffer(body)).toString("utf8");
        },
      });
      return reply.kind === "done" ? { kind: "text", text } : reply;
    },
    async write(address, text) {
      const bytes = Buffer.from(text);
      return await callPresigned({
        ...callOf("PUT", address),
        headers: {
          "content-length": String(bytes.length),
          "content-type": "application/octet-stream",
        },
        body: () => Readable.from([bytes]),
      });
    },
  };
}

export function requestOf({ url, headers }: Address): PresignedRequest {
  return headers === undefined ? { url } : { url, headers };
}
