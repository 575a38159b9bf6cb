// What the agent's container of a probe runs, for `node -e`: each line that it prints is `key=value`, and is read back
// from CloudWatch. No script outlives five minutes.

const common = `
const fs = require("node:fs"), net = require("node:net"), { execFileSync } = require("node:child_process");
const say = (key, value) => console.log(key + "=" + String(value).replace(/\\s+/g, " "));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const base = process.env.ECS_CONTAINER_METADATA_URI_V4;
const look = async (path) => { try { return await (await fetch(base + path)).json(); } catch { return undefined; } };
const job = (task) => task?.Containers?.find((one) => one.Name === "job");
setTimeout(() => { say("late", 1); process.exit(1); }, 300000).unref();
`;

const untilJob = (status: string) => `
let seen;
for (let round = 0; round < 280; round++) {
  seen = await look("/task");
  if (${status}) break;
  await sleep(1000);
}
say("job", JSON.stringify(job(seen) ?? {}));
`;

const program = (body: string) => `${common}(async () => {${body}})();`;

/** Ends with 71, as our agent does, when the job's container has ended or never comes. */
export const waitForJob = program(
  `${untilJob('job(seen)?.KnownStatus === "STOPPED"')} await sleep(3000); process.exit(71);`,
);

/** Ends with 0 when the job's container runs. */
export const leaveAfterJob = program(
  `${untilJob('job(seen)?.KnownStatus === "RUNNING"')} process.exit(0);`,
);

/** Counts the seconds that are left after SIGTERM. */
export const waitForTerm = program(`
let told;
process.on("SIGTERM", () => {
  told ??= Date.now();
  look("/task").then((task) => say("desired", task?.DesiredStatus));
});
say("up", 1);
for (;;) {
  if (told !== undefined) say("after", Math.round((Date.now() - told) / 1000));
  await sleep(1000);
}
`);

/** Of the job beside that one. */
export const listen = "trap 'exit 0' TERM; sleep 240 & wait";

/** Its own hosts, a FIFO, the metadata of all, and what the job says. */
export const meet = program(`
say("environment", process.env.PROOF_VALUE);
say("credentials", (process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI ?? "") + (process.env.AWS_ACCESS_KEY_ID ?? ""));
const first = await look("/task");
say("first", job(first)?.KnownStatus || "NONE");
fs.appendFileSync("/etc/hosts", "127.0.0.1 proof-name\\n");
execFileSync("mkfifo", ["/burst/control/out"]);
fs.chmodSync("/burst/control/out", 0o666);
const fd = fs.openSync("/burst/control/out", fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
let heard = "";
new net.Socket({ fd }).on("data", (data) => { heard += data; });
const statuses = new Set();
for (let round = 0; round < 280 && !heard.includes("done=1"); round++) {
  statuses.add(job(await look("/task"))?.KnownStatus || "NONE");
  await sleep(1000);
}
for (const line of heard.trim().split("\\n")) say("job." + line.split("=")[0], line.slice(line.indexOf("=") + 1));
say("statuses", [...statuses].join(","));
const task = await look("/task"), stats = await look("/task/stats");
say("task", JSON.stringify({ ...task, Containers: task?.Containers?.map(({ Labels, Networks, ...rest }) => rest) }));
say("memory", stats?.[job(task)?.DockerId]?.memory_stats?.usage);
process.exit(0);
`);
