// Removes all that a claim has left, and the claim last: whatever a crash interrupts still has an owner.

import type { ClaimRecord } from "../core/claim.ts";
import type { ClaimId } from "../core/claim.ts";
import { stateKeys } from "../core/state-keys.ts";
import type { AdvanceDeps } from "./advance-deps.ts";

export async function cleanUp(
  { objects, secrets, tasks }: Pick<AdvanceDeps, "objects" | "secrets" | "tasks">,
  id: ClaimId,
  claim: ClaimRecord,
): Promise<void> {
  for (const { kind, name } of claim.owned) {
    if (kind === "secret") await secrets.remove(name);
    else await tasks.forget(name);
  }
  const left = await objects.list(stateKeys.job(id.jobKey));
  if (left.length > 0) await objects.remove(left.map(({ key }) => key));
  await objects.remove([stateKeys.claim(id)]);
}
