// Which files an archive holds: GitLab's paths, exclude and untracked, relative to the project directory.
// Directories are taken with all that is in them, links are taken as links, and no walk passes through one.

import * as fs from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { posix } from "node:path";
import * as zlib from "node:zlib";
import type { JobLog } from "../../core/job-log.ts";
import { compileGlob, globMatches, isPattern, splitPattern } from "./glob.ts";
import type { Glob, GlobState } from "./glob.ts";
import { ignoredFiles } from "./ignored-files.ts";
import type { IgnoredFiles } from "./ignored-files.ts";
import { errorCode, errorText } from "./open-file.ts";
import { projectTree } from "./project-tree.ts";
import type { ProjectTree } from "./project-tree.ts";

export interface SelectedEntry {
  /** Name in the archive: relative, with slashes. */
  readonly name: string;
  /** Where it is, relative to the project directory, by a way without symbolic links. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
}

export interface Wanted {
  readonly projectDir: string;
  /** With variables already expanded. */
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  /** Paths of `git ls-files -o`, where they are wanted. */
  readonly untracked: readonly string[] | undefined;
  readonly log: JobLog;
  readonly signal: AbortSignal;
}

/** In the order of their names. */
export async function selectFiles(wanted: Wanted): Promise<SelectedEntry[]> {
  const selection = new Selection(wanted);
  try {
    for (const path of wanted.paths) await selection.addPath(path);
    if (wanted.untracked !== undefined) await selection.addUntracked(wanted.untracked);
    return selection.finish();
  } finally {
    selection.close();
  }
}

interface Place {
  readonly name: string;
  readonly path: string;
}

/** "all": whatever is below has been matched already. */
type Progress = { readonly glob: Glob; readonly state: GlobState } | "all";

class Selection {
  readonly #wanted: Wanted;
  readonly #log: JobLog;
  readonly #tree: ProjectTree | undefined;
  readonly #ignored: IgnoredFiles;
  readonly #entries = new Map<string, SelectedEntry>();
  readonly #excludes: { readonly rule: string; readonly glob: Glob; count: number }[] = [];

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#log = wanted.log;
    // No project directory, no files: the job may have failed before it was made.
    const exists = fs.existsSync(wanted.projectDir);
    this.#tree = exists ? projectTree({ fs, zlib }, wanted.projectDir) : undefined;
    this.#ignored = ignoredFiles(wanted.log);
    for (const rule of wanted.exclude) {
      const relative = this.#relative(rule);
      const glob = relative === undefined ? undefined : this.#compile(relative, rule);
      if (glob !== undefined) this.#excludes.push({ rule, glob, count: 0 });
    }
  }

  async addPath(path: string): Promise<void> {
    if (path === "") {
      this.#log.warning("No matching files. Path is empty.");
      return;
    }
    const relative = this.#relative(path);
    if (relative === undefined) return;
    const found = isPattern(relative)
      ? await this.#addPattern(path, relative)
      : await this.#addLiteral(relative, true);
    if (found > 0) {
      this.#log.line(`${path}: found ${found} matching artifact files and directories`);
    } else {
      const hint = `Ensure that the artifact path is relative to the working directory (${this.#wanted.projectDir})`;
      this.#log.warning(`${path}: no matching files. ${hint}`);
    }
  }

  async addUntracked(paths: readonly string[]): Promise<void> {
    let found = 0;
    for (const path of paths) found += await this.#addLiteral(posix.normalize(path), false);
    if (found > 0) this.#log.line(`untracked: found ${found} files`);
    else this.#log.warning("untracked: no files");
  }

  finish(): SelectedEntry[] {
    this.#ignored.finish();
    for (const { rule, count } of this.#excludes) {
      if (count > 0) this.#log.line(`${rule}: excluded ${count} files`);
    }
    const entries = [...this.#entries.values()];
    if (entries.some(({ name }) => name === ".git" || name.startsWith(".git/"))) {
      this.#log.warning("Part of .git directory is on the list of files to archive");
      this.#log.warning("This may introduce unexpected problems");
    }
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  close(): void {
    this.#tree?.close();
  }

  /** Relative to the project, without `.` and `..`; undefined (and said) when it is outside. */
  #relative(path: string): string | undefined {
    const { projectDir } = this.#wanted;
    const relative = posix.relative(projectDir, posix.resolve(projectDir, path));
    if (relative !== ".." && !relative.startsWith("../")) return relative;
    this.#log.warning(`artifact path is not a subpath of project directory: ${path}`);
    return undefined;
  }

  #compile(relative: string, path: string): Glob | undefined {
    const compiled = compileGlob(relative);
    if (compiled.kind === "glob") return compiled.glob;
    this.#log.warning(`${path}: syntax error in pattern: ${compiled.message}`);
    return undefined;
  }

  async #addPattern(path: string, relative: string): Promise<number> {
    const { base, rest } = splitPattern(relative);
    const glob = this.#compile(rest, path);
    const place = glob === undefined ? undefined : this.#directory(base);
    if (glob === undefined || place === undefined) return 0;
    const all = glob.accepts(glob.start);
    const self = all && base !== "" ? this.#take(place, "directory") : 0;
    return self + (await this.#walk(place, all ? "all" : { glob, state: glob.start }));
  }

  async #addLiteral(relative: string, deep: boolean): Promise<number> {
    if (relative === "") return await this.#walk({ name: "", path: "" }, "all");
    const name = relative.replace(/\/$/, ""); // git ends the path of a nested repository in a slash
    const parent = this.#directory(posix.dirname(name) === "." ? "" : posix.dirname(name));
    if (parent === undefined || this.#tree === undefined) return 0;
    const last = posix.basename(name);
    try {
      const stat = await lstat(`${this.#tree.enter(parent.path)}/${last}`);
      const place = { name, path: posix.join(parent.path, last) };
      const taken = this.#take(place, kindOf(stat));
      return taken + (deep && stat.isDirectory() ? await this.#walk(place, "all") : 0);
    } catch (error) {
      this.#missing(name, error);
      return 0;
    }
  }

  /** The directory a pattern starts in; links on the way are followed as long as they stay inside. */
  #directory(name: string): Place | undefined {
    try {
      const path = this.#tree?.resolve(name, false);
      return path === undefined ? undefined : { name, path };
    } catch (error) {
      this.#missing(name, error);
      return undefined;
    }
  }

  async #walk(directory: Place, progress: Progress): Promise<number> {
    this.#wanted.signal.throwIfAborted();
    let found = 0;
    const namePrefix = directory.name === "" ? "" : `${directory.name}/`;
    const pathPrefix = directory.path === "" ? "" : `${directory.path}/`;
    for (const dirent of await this.#list(directory)) {
      const next = advance(progress, dirent.name);
      if (next === undefined) continue;
      const place = { name: namePrefix + dirent.name, path: pathPrefix + dirent.name };
      const matched = next === "all" || next.glob.accepts(next.state);
      if (matched) found += this.#take(place, kindOf(dirent));
      if (dirent.isDirectory()) found += await this.#walk(place, matched ? "all" : next);
    }
    return found;
  }

  async #list(directory: Place): Promise<readonly fs.Dirent[]> {
    if (this.#tree === undefined) return [];
    try {
      return await readdir(this.#tree.enter(directory.path), { withFileTypes: true });
    } catch (error) {
      this.#missing(directory.name, error);
      return [];
    }
  }

  /** 1 if it is in the archive now, else 0. */
  #take(place: Place, kind: SelectedEntry["kind"] | undefined): number {
    const excluding = this.#excludes.find(({ glob }) => globMatches(glob, place.name));
    if (excluding !== undefined) {
      excluding.count++;
      return 0;
    }
    if (kind === undefined) {
      this.#ignored.add(place.name, "a FIFO, a socket or a device");
      return 0;
    }
    if (place.name.includes("\uFFFD")) {
      this.#ignored.add(place.name, "its name is not valid UTF-8");
      return 0;
    }
    this.#entries.set(place.name, { ...place, kind });
    return 1;
  }

  #missing(name: string, error: unknown): void {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return;
    const subject = code === "EOUTSIDE" ? "" : `${name || "."}: `;
    this.#log.warning(`${subject}${errorText(error)}`);
  }
}

function advance(progress: Progress, name: string): Progress | undefined {
  if (progress === "all") return progress;
  const state = progress.glob.step(progress.state, name);
  return state.length === 0 ? undefined : { glob: progress.glob, state };
}

function kindOf(item: fs.Dirent | fs.Stats): SelectedEntry["kind"] | undefined {
  if (item.isSymbolicLink()) return "symlink";
  if (item.isDirectory()) return "directory";
  return item.isFile() ? "file" : undefined;
}
