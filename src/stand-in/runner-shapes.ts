// Runners and their managers as GitLab's REST API shows them.

import { isoOrNull } from "./runner-api.ts";
import type { Manager, Runner } from "./runners.ts";

const onlineMilliseconds = 2 * 60 * 60 * 1000;

export function runnerShape(runner: Runner, now: number) {
  const contacts = [...runner.managers.values()].map((manager) => manager.contactedAt);
  const status = statusOf(contacts.length === 0 ? undefined : Math.max(...contacts), now);
  const { settings } = runner;
  return {
    id: runner.id,
    description: settings.description,
    ip_address: contacts.length === 0 ? null : "127.0.0.1",
    active: !settings.paused,
    paused: settings.paused,
    is_shared: settings.type === "instance_type",
    runner_type: settings.type,
    name: nameOf(runner),
    online: status === "online",
    created_at: isoOrNull(runner.createdAt),
    status,
    job_execution_status: "idle",
  };
}

export function runnerDetails(runner: Runner, now: number) {
  const { settings } = runner;
  return {
    ...runnerShape(runner, now),
    tag_list: settings.tags,
    run_untagged: settings.runUntagged,
    locked: settings.locked,
    maximum_timeout: settings.maximumTimeout ?? null,
    access_level: settings.accessLevel,
    maintenance_note: settings.maintenanceNote ?? null,
    contacted_at: isoOrNull(
      [...runner.managers.values()]
        .map((manager) => manager.contactedAt)
        .toSorted((a, b) => b - a)[0],
    ),
  };
}

function nameOf(runner: Runner): string | null {
  const name = [...runner.managers.values()].at(-1)?.info["name"];
  return typeof name === "string" ? name : null;
}

export function managerShape(manager: Manager, now: number) {
  const { info } = manager;
  const text = (key: string) => (typeof info[key] === "string" ? info[key] : null);
  return {
    id: 1,
    system_id: manager.systemId,
    version: text("version"),
    revision: text("revision"),
    platform: text("platform"),
    architecture: text("architecture"),
    created_at: isoOrNull(manager.createdAt),
    contacted_at: isoOrNull(manager.contactedAt),
    ip_address: "127.0.0.1",
    status: statusOf(manager.contactedAt, now),
  };
}

function statusOf(contactedAt: number | undefined, now: number): string {
  if (contactedAt === undefined) return "never_contacted";
  return now - contactedAt < onlineMilliseconds ? "online" : "offline";
}
