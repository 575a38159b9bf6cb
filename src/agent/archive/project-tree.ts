// Reaches directories of a tree that somebody else may be changing, without ever passing a symbolic link: every
// component is opened with O_NOFOLLOW, and the next one is looked up in that open directory (/proc/self/fd). Where
// there is no /proc, each component is looked at before it is passed.
// The function closes over nothing: its text also runs in worker threads (see crew.ts).
// oxlint-disable unicorn/consistent-function-scoping -- nothing outside the function exists in a worker

import type * as Fs from "node:fs";

/** What the functions that run in workers get instead of imports. */
export interface NodeModules {
  readonly fs: typeof Fs;
  readonly zlib: typeof import("node:zlib");
}

export interface ProjectTree {
  /**
   * A path that names `directory` (relative to the root, "" is the root) and stays true until the next `enter`.
   * Throws with code ELINK when a component is a symbolic link.
   */
  enter(directory: string): string;
  /**
   * The same directory by a path without symbolic links. Links that stay inside are followed; one that leads out
   * throws with code EOUTSIDE. Missing directories are made when `create` says so.
   */
  resolve(directory: string, create: boolean): string;
  /** A new, empty file, open for writing; what was there before is unlinked, not written into. */
  createFile(path: string): number;
  /** Makes sure that nothing but perhaps a directory (an error) is at `path`; the path to use for it. */
  clear(path: string): string;
  close(): void;
}

/** `root` is absolute, and no part of it is a link: where links lead there, the caller has followed them. */
export type MakeProjectTree = (node: NodeModules, root: string) => ProjectTree;

export function projectTree({ fs }: NodeModules, root: string): ProjectTree {
  const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
  const byHandle = fs.existsSync("/proc/self/fd");
  const opened: { readonly name: string; readonly path: string; readonly fd: number }[] = [];
  const resolved = new Map<string, string>();
  const top = openRoot();

  function failure(code: string, message: string): Error {
    return Object.assign(new Error(message), { code });
  }
  function codeOf(error: unknown): unknown {
    return error instanceof Error && "code" in error ? error.code : undefined;
  }

  function open(
    parent: string,
    name: string,
    how = O_RDONLY,
  ): { name: string; path: string; fd: number } {
    const path = `${parent}/${name}`;
    try {
      if (byHandle) {
        const fd = fs.openSync(path, how | O_DIRECTORY | O_NOFOLLOW);
        return { name, path: `/proc/self/fd/${fd}`, fd };
      }
      if (fs.lstatSync(path).isDirectory()) return { name, path, fd: -1 };
    } catch (error) {
      if (codeOf(error) !== "ENOTDIR" && codeOf(error) !== "ELOOP") throw error;
    }
    const link = fs.lstatSync(path).isSymbolicLink();
    throw link
      ? failure("ELINK", `${name} is a symbolic link`)
      : failure("ENOTDIR", `${name} is not a directory`);
  }

  /** A script may have put a link in the place of its project's folder, or of one above it. */
  function openRoot(): { path: string; fd: number } {
    // Linux's O_PATH, which Node has no name for: folders above may be ours to pass, not to list.
    const passing = 0x20_0000;
    let at = { path: "", fd: -1 };
    for (const name of root.split("/").filter((part) => part !== "")) {
      const above = at.fd;
      try {
        at = open(at.path, name, passing);
      } catch (error) {
        if (codeOf(error) !== "ELINK") throw error;
        throw failure("ELINK", `${root} is not the project's folder any more: ${name} is a link`);
      } finally {
        if (above >= 0) fs.closeSync(above);
      }
    }
    return at;
  }

  function leave(depth: number): void {
    while (opened.length > depth) {
      const last = opened.pop();
      if (last !== undefined && last.fd >= 0) fs.closeSync(last.fd);
    }
  }

  function enter(directory: string): string {
    const names = directory === "" ? [] : directory.split("/");
    let same = 0;
    while (same < names.length && opened[same]?.name === names[same]) same++;
    leave(same);
    for (const name of names.slice(same)) {
      if (name === "" || name === "." || name === "..") {
        throw failure("EOUTSIDE", `${directory} is not a plain path inside the project`);
      }
      opened.push(open(opened.at(-1)?.path ?? top.path, name));
    }
    return opened.at(-1)?.path ?? top.path;
  }

  function follow(link: string, directory: string): string {
    const target = fs.realpathSync.native(link);
    if (target === root) return "";
    if (target.startsWith(`${root}/`)) return target.slice(root.length + 1);
    throw failure("EOUTSIDE", `${directory} leads out of the project through a symbolic link`);
  }

  function resolve(directory: string, create: boolean): string {
    const known = resolved.get(directory);
    if (known !== undefined) return known;
    let real = "";
    for (const name of directory === "" ? [] : directory.split("/")) {
      const child = real === "" ? name : `${real}/${name}`;
      try {
        enter(child);
        real = child;
      } catch (error) {
        const path = `${enter(real)}/${name}`;
        if (codeOf(error) === "ELINK") real = follow(path, directory);
        else if (codeOf(error) === "ENOENT" && create) {
          try {
            fs.mkdirSync(path);
          } catch (made) {
            if (codeOf(made) !== "EEXIST") throw made;
          }
          enter(child);
          real = child;
        } else throw error;
      }
    }
    resolved.set(directory, real);
    return real;
  }

  function locate(path: string): string {
    const slash = path.lastIndexOf("/");
    const parent = resolve(slash === -1 ? "" : path.slice(0, slash), true);
    return `${enter(parent)}/${path.slice(slash + 1)}`;
  }

  function remove(location: string, path: string): void {
    try {
      fs.unlinkSync(location);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return;
      if (!fs.lstatSync(location).isDirectory()) throw error;
      throw failure("EISDIR", `${path} is a directory in the project`);
    }
  }

  function createFile(path: string): number {
    const location = locate(path);
    const create = (): number => fs.openSync(location, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    try {
      return create();
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      remove(location, path);
      return create();
    }
  }

  function clear(path: string): string {
    const location = locate(path);
    remove(location, path);
    return location;
  }

  return {
    enter,
    resolve,
    createFile,
    clear,
    close() {
      leave(0);
      if (top.fd >= 0) fs.closeSync(top.fd);
    },
  };
}
