// A project's bare repository. The commits are made by git itself, without the user's settings, so
// that the same folder gives the same tree everywhere; what is only a small file (the skeleton of
// the repository, a ref) is written directly, because starting git takes its time.

import { execFile, execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Commit, Ref } from "./model.ts";

export const defaultBranch = "main";

/** What GitLab allows a fetching client, and nobody pushes. */
const config = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[http]
	receivepack = false
[gc]
	auto = 0
`;

interface Resolved {
  readonly ref: Ref;
  readonly commit: Commit;
}

export class Repository {
  readonly directory: string;
  readonly #home: string;
  /** Everything that `resolve` finds, by full name. */
  readonly #refs = new Map<string, Commit>();

  private constructor(directory: string, home: string) {
    this.directory = directory;
    this.#home = home;
  }

  static async create(directory: string, home: string): Promise<Repository> {
    for (const folder of ["objects/info", "objects/pack", "refs/heads", "refs/tags"]) {
      await mkdir(join(directory, folder), { recursive: true });
    }
    await writeFile(join(directory, "HEAD"), `ref: refs/heads/${defaultBranch}\n`);
    await writeFile(join(directory, "config"), config);
    return new Repository(directory, home);
  }

  /** Commits the files of a folder as they are now, minus what its .gitignore names. */
  async commitFolder(folder: string, atMilliseconds: number): Promise<Commit> {
    const date = `${String(Math.floor(atMilliseconds / 1000))} +0000`;
    const environment = {
      GIT_WORK_TREE: folder,
      GIT_INDEX_FILE: join(this.directory, "import.index"),
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_DATE: date,
    };
    const message = this.#nextMessage();
    await this.#git(["add", "--all", "."], { environment, cwd: folder });
    await this.#git(["commit", "--quiet", "--allow-empty", "--no-verify", "-m", message], {
      environment,
      cwd: folder,
    });
    return this.#committed(message, atMilliseconds);
  }

  /** Commits just these files: path to content. */
  async commitFiles(
    files: Readonly<Record<string, string>>,
    atMilliseconds: number,
  ): Promise<Commit> {
    const branch = `refs/heads/${defaultBranch}`;
    const message = this.#nextMessage();
    const seconds = String(Math.floor(atMilliseconds / 1000));
    const previous = this.#refs.get(branch);
    const lines = [
      `commit ${branch}`,
      `committer ${committer} ${seconds} +0000`,
      data(message),
      ...(previous === undefined ? [] : [`from ${previous.sha}`, "deleteall"]),
      ...Object.entries(files).flatMap(([path, content]) => [
        `M 100644 inline ${JSON.stringify(path)}`,
        data(content),
      ]),
    ];
    await this.#git(["fast-import", "--quiet"], { input: `${lines.join("\n")}\n` });
    return this.#committed(message, atMilliseconds);
  }

  /** A new branch, tag or other ref on the commit that `main` is at, or on the one given. */
  async createRef(name: string, commit = this.#refs.get(`refs/heads/${defaultBranch}`)) {
    if (commit === undefined) throw new RangeError(`${name}: there is no commit yet`);
    const path = join(this.directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${commit.sha}\n`);
    this.#refs.set(name, commit);
  }

  /** A branch or a tag by its short name, with its commit. */
  resolve(name: string): Resolved | undefined {
    for (const kind of ["branch", "tag"] as const) {
      const commit = this.#refs.get(`refs/${kind === "branch" ? "heads" : "tags"}/${name}`);
      if (commit !== undefined) return { ref: { name, kind }, commit };
    }
    return undefined;
  }

  /** A file of a commit; undefined when there is none. */
  async readFile(sha: string, path: string): Promise<string | undefined> {
    try {
      return await this.#git(["cat-file", "blob", `${sha}:${path}`]);
    } catch {
      return undefined;
    }
  }

  /** The same at once: `include` is read in the middle of compiling. */
  readFileSync(sha: string, path: string): string | undefined {
    try {
      return execFileSync("git", ["cat-file", "blob", `${sha}:${path}`], {
        cwd: this.directory,
        encoding: "utf8",
        maxBuffer,
        stdio: ["ignore", "pipe", "ignore"],
        env: { ...gitEnvironment(this.#home), GIT_DIR: this.directory },
      });
    } catch {
      return undefined;
    }
  }

  #nextMessage(): string {
    return this.#refs.size === 0 ? "Import the files" : "Import the files again";
  }

  async #committed(message: string, atMilliseconds: number): Promise<Commit> {
    const branch = `refs/heads/${defaultBranch}`;
    const sha = (await readFile(join(this.directory, branch), "utf8")).trim();
    const timestamp = `${new Date(atMilliseconds).toISOString().slice(0, 19)}+00:00`;
    const commit = { sha, title: message, message, author: committer, timestamp };
    this.#refs.set(branch, commit);
    return commit;
  }

  #git(
    parameters: readonly string[],
    options: {
      readonly environment?: Readonly<Record<string, string>>;
      readonly input?: string;
      readonly cwd?: string;
    } = {},
  ): Promise<string> {
    const env = { ...gitEnvironment(this.#home), GIT_DIR: this.directory, ...options.environment };
    return new Promise((resolve, reject) => {
      const child = execFile(
        "git",
        parameters,
        { cwd: options.cwd ?? this.directory, maxBuffer, env },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else {
            const why = stderr.trim() || error.message;
            reject(new Error(`git ${parameters[0] ?? ""}: ${why}`, { cause: error }));
          }
        },
      );
      // A git that ends before it has read everything says why by its exit status.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(options.input ?? "");
    });
  }
}

const maxBuffer = 64 * 1024 * 1024;
const committer = "Administrator <admin@example.com>";

function data(text: string): string {
  return `data ${String(Buffer.byteLength(text))}\n${text}`;
}

/** Git's environment without the settings, hooks and repository of whoever started the stand-in. */
export function gitEnvironment(home: string): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(process.env)) {
    if (value !== undefined && !key.startsWith("GIT_")) kept[key] = value;
  }
  return {
    ...kept,
    HOME: home,
    XDG_CONFIG_HOME: home,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Administrator",
    GIT_AUTHOR_EMAIL: "admin@example.com",
    GIT_COMMITTER_NAME: "Administrator",
    GIT_COMMITTER_EMAIL: "admin@example.com",
  };
}
