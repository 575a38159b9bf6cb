// The first thing an agent does: hear SIGTERM. As a container's first process it is not ended by a signal that nobody
// handles, and one told to stop while Node still loads its modules would go on as if nothing had been said.
// To be imported before anything else.

const early = new AbortController();
process.on("SIGTERM", () => early.abort());

/** Raised by the first SIGTERM, whoever else hears it. */
export const toldToStop: AbortSignal = early.signal;
