// How small files are gathered for worker threads, on the way in and on the way out.

/** Files in one piece of work. */
export const batchFiles = 128;
/** Larger files are streamed instead: a batch must fit into memory, several times. */
export const smallBytes = 64 * 1024;
/** So few files are not worth starting threads for; they are done at home if they are tiny. */
export const fewFiles = 24;
export const tinyBytes = 16 * 1024;
