// A hand-off as a launcher makes one, with everything in one folder.

import type { HandOff } from "../../src/core/hand-off.ts";

export function buildHandOff(folder: string, job: Readonly<Record<string, unknown>> = {}): HandOff {
  return {
    version: 1,
    gitlab: { url: "https://gitlab.example.com", systemId: "s_0123456789ab" },
    runner: { name: "r", shortToken: "t", version: "1", revision: "", shell: "sh", labels: {} },
    executor: "process",
    settings: {},
    job: JSON.stringify({
      id: 42,
      token: "glcbt-token",
      git_info: { repo_url: "https://gitlab.example.com/group/project.git" },
      ...job,
    }),
    claimedAt: 0,
    concurrentId: 0,
    concurrentProjectId: 0,
    folders: {
      control: folder,
      builds: `${folder}/builds`,
      cache: `${folder}/cache`,
      scratch: folder,
    },
  };
}
