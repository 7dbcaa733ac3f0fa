/**
 * Promises that may fail while a view that has asked for them waits for something else, or has given up:
 * without a handler Node would end the worker. Used for what clients and PostgreSQL can make fail.
 */

/** The same promise: whoever awaits it still gets its failure. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
