// Images without a registry and without a build: layers and a configuration, as the tar that `docker load`
// takes. Images in one archive share layers.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { tarEnd, tarHeader, tarPadding } from "./tar-archive.ts";

export interface Layer {
  /** sha256 of the layer's tar, in hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly tar: Uint8Array | { readonly file: string };
}

export interface Image {
  /** Names with tags. */
  readonly names: readonly string[];
  /** From the lowest up. */
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
}

/** As in an image's configuration: the names are Docker's. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

export const standardPath =
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" as const;

export function layerOf(tar: Uint8Array): Layer {
  return { digest: sha256(tar), sizeBytes: tar.length, tar };
}

/** The tar of all of them, as a stream: a layer may be larger than memory. */
export function imageArchive(images: readonly Image[]): Readable {
  return Readable.from(archiveBytes(images));
}

async function* archiveBytes(images: readonly Image[]): AsyncGenerator<Uint8Array> {
  const layers = new Map(images.flatMap(({ layers }) => layers.map((l) => [l.digest, l] as const)));
  for (const layer of layers.values()) {
    yield fileHeader(layerPath(layer), layer.sizeBytes);
    if (layer.tar instanceof Uint8Array) yield layer.tar;
    else
      yield* createReadStream(layer.tar.file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
    yield tarPadding(layer.sizeBytes);
  }
  const manifest: object[] = [];
  for (const image of images) {
    const config = Buffer.from(JSON.stringify(configuration(image)));
    const path = `${sha256(config)}.json`;
    yield* smallFile(path, config);
    manifest.push({ Config: path, RepoTags: image.names, Layers: image.layers.map(layerPath) });
  }
  yield* smallFile("manifest.json", Buffer.from(JSON.stringify(manifest)));
  yield tarEnd();
}

function configuration(image: Image): object {
  return {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    // The same parts make the same image, whenever they are put together.
    created: "1970-01-01T00:00:00Z",
    config: image.config,
    rootfs: { type: "layers", diff_ids: image.layers.map(({ digest }) => `sha256:${digest}`) },
    history: image.layers.map(() => ({ created: "1970-01-01T00:00:00Z" })),
  };
}

function layerPath(layer: Layer): string {
  return `${layer.digest}/layer.tar`;
}

function fileHeader(path: string, sizeBytes: number): Buffer {
  return tarHeader({ path, uid: 0, mode: 0o644, type: "0", sizeBytes });
}

function* smallFile(path: string, content: Buffer): Generator<Uint8Array> {
  yield fileHeader(path, content.length);
  yield content;
  yield tarPadding(content.length);
}

export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}
