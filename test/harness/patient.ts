/** For `expect.poll`: on a busy machine a process may take seconds to do what takes milliseconds. */
export const patient = { timeout: 15_000, interval: 10 } as const;
