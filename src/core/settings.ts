// One runner's settings: the one schema that validates them, and from which the JSON Schema and the docs
// are made. Keys are config.toml's, without its levels; what it has and we have not is answered in
// settings-elsewhere.ts.

import type * as z from "zod";
import { SettingsError } from "./errors.ts";
import { cacheShape } from "./settings-cache.ts";
import { containerShape } from "./settings-container.ts";
import { siftElsewhere } from "./settings-elsewhere.ts";
import { section } from "./settings-field.ts";
import { runnerShape } from "./settings-runner.ts";
import { taskShape } from "./settings-task.ts";
import { fargateSize, sizeText } from "./size.ts";
import type { Size } from "./size.ts";

/** Every key with its default and its sentence. */
export const settingsSchema = section("a map of settings", {
  ...runnerShape,
  ...containerShape,
  ...taskShape,
  ...cacheShape,
});

type Parsed = z.output<typeof settingsSchema>;

export type Settings = Readonly<Omit<Parsed, "sizes" | "cpus" | "memory">> & {
  readonly sizes: { readonly default: Size; readonly maximum: Size };
};

export type ParsedSettings =
  | { readonly kind: "settings"; readonly settings: Settings }
  | { readonly kind: "invalid"; readonly message: string };

/**
 * Reads settings. `where` is what the reader calls them (a file, a parameter). A refusal has one line for
 * every mistake: where, path, what was found, what would be right. To hand settings to another process,
 * hand over `value`: the result is not meant to be read again.
 */
export function parseSettings(value: unknown, where: string): ParsedSettings {
  const { rest, complaints } = siftElsewhere(value ?? {});
  const parsed = settingsSchema.safeParse(rest);
  const lines = complaints.map(({ path, message }) => `${where}: ${path}: ${message}`);
  for (const { path, message } of parsed.error?.issues ?? []) {
    lines.push([where, ...(path.length === 0 ? [] : [path.join(".")]), message].join(": "));
  }
  if (!parsed.success || lines.length > 0) return { kind: "invalid", message: lines.join("\n") };
  const { sizes, mistakes } = resolveSizes(parsed.data);
  if (parsed.data.disk.default > parsed.data.disk.maximum) {
    const { default: usual, maximum } = parsed.data.disk;
    mistakes.push(`disk.default: ${usual} GB are more than disk.maximum, ${maximum} GB`);
  }
  if (mistakes.length > 0) {
    return {
      kind: "invalid",
      message: mistakes.map((mistake) => `${where}: ${mistake}`).join("\n"),
    };
  }
  const { cpus: _cpus, memory: _memory, ...others } = parsed.data;
  return { kind: "settings", settings: { ...others, sizes } };
}

/** Settings with nothing set. */
export function defaultSettings(): Settings {
  const parsed = parseSettings({}, "defaults");
  if (parsed.kind === "invalid") throw new SettingsError(parsed.message);
  return parsed.settings;
}

const usualDefault: Size = { cpuUnits: 1024, memoryMiB: 2048 };
const usualMaximum: Size = { cpuUnits: 4096, memoryMiB: 30 * 1024 };

function resolveSizes(parsed: Parsed) {
  const mistakes: string[] = [];
  const { default: usual, maximum } = parsed.sizes;
  for (const [short, long, mine, theirs] of [
    ["cpus", "sizes.default.cpu", parsed.cpus, usual.cpu],
    ["memory", "sizes.default.memory", parsed.memory, usual.memory],
  ] as const) {
    if (mine === 0 || theirs === undefined || theirs === mine) continue;
    mistakes.push(`${short}: says another size than ${long}: give one of the two`);
  }
  const wish: Size = {
    cpuUnits: (usual.cpu ?? parsed.cpus) || usualDefault.cpuUnits,
    memoryMiB: (usual.memory ?? parsed.memory) || usualDefault.memoryMiB,
  };
  const room = fargateSize(wish) ?? wish;
  const limit: Size = {
    cpuUnits: maximum.cpu || Math.max(usualMaximum.cpuUnits, room.cpuUnits),
    memoryMiB: maximum.memory || Math.max(usualMaximum.memoryMiB, room.memoryMiB),
  };
  if (wish.cpuUnits > limit.cpuUnits || wish.memoryMiB > limit.memoryMiB) {
    mistakes.push(
      `sizes.default: ${sizeText(wish)} are more than sizes.maximum, ${sizeText(limit)}`,
    );
  }
  return { sizes: { default: wish, maximum: limit }, mistakes };
}
