// What to ask for next time, in words that can be copied into a pipeline file.

import { fargateDiskGiB } from "./size.ts";

export function memorySuggestion(memoryMiB: number): string {
  return `ask for more with BURST_MEMORY, such as ${memoryMiB * 2}M, where the runner allows it`;
}

export function diskSuggestion(diskGiB: number): string {
  if (diskGiB >= fargateDiskGiB.most) {
    return `it is the largest there is (${fargateDiskGiB.most} GB), so use smaller images`;
  }
  return `ask for more with BURST_DISK, such as ${Math.min(diskGiB * 2, fargateDiskGiB.most)}`;
}
