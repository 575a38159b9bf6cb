// Docs/unproven.md, "Storage and addresses".

import { judge } from "./belief.ts";
import type { Belief } from "./belief.ts";
import type { World } from "./world.ts";

export const storageBeliefs: readonly Belief[] = [
  {
    name: "one-winner",
    find: async (world) => {
      const key = ownKey(world, "started");
      const { url, headers = {} } = await world.objects.presign({
        method: "PUT",
        key,
        expiresSeconds: 600,
        onlyIfMissing: true,
      });
      const put = async () => (await fetch(url, { method: "PUT", headers, body: "{}" })).status;
      const first = await put();
      const second = await put();
      return judge(first === 200 && second === 412, `first ${first}, second ${second}`);
    },
  },
  {
    name: "compare-and-swap",
    find: async (world) => {
      const key = ownKey(world, "claim.json");
      const made = await world.objects.create(key, "1");
      if (made.kind !== "written") return judge(false, made.kind);
      const right = await world.objects.replace(key, "2", made.etag);
      const wrong = await world.objects.replace(key, "3", made.etag);
      return judge(
        right.kind === "written" && wrong.kind === "changed",
        `right ETag: ${right.kind}; old ETag: ${wrong.kind}`,
      );
    },
  },
  { name: "address-lifetime", find: addressLifetime },
];

/** Until an agent surely has fresh ones: signed anew after fifteen minutes, fetched after twenty, looked at every five. */
const lifetimeMinutes = 30;
const everyMinutes = 5;

async function addressLifetime(world: World) {
  const key = ownKey(world, "address.json");
  await world.objects.write(key, "{}");
  const { url, error } = await world.asLauncher({
    service: "s3",
    client: "S3Client",
    command: "GetObjectCommand",
    input: { Bucket: world.objects.bucket, Key: key },
    sign: true,
  });
  if (url === undefined) return judge(false, `not signed: ${error ?? "no answer"}`);
  for (let minutes = 0; ; minutes += everyMinutes) {
    const { status } = await fetch(url);
    // The sweeper takes the object away after a while; what is asked for is whether the signature holds.
    if (status !== 200 && status !== 404) return judge(false, `${status} after ${minutes} minutes`);
    if (minutes >= lifetimeMinutes) return judge(true, `still good after ${minutes} minutes`);
    await world.sleep(everyMinutes * 60_000);
  }
}

function ownKey({ objects, runName, undo }: World, name: string): string {
  const key = `jobs/${runName}/storage/${name}`;
  undo.add(`object ${key}`, () => objects.remove([key]));
  return key;
}
