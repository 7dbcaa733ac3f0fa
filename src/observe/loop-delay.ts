/**
 * How late the event loop is: how long it keeps anything waiting. Asked by the metrics and by who refuses requests
 * while it is too late.
 */

/** How often the loop is asked. */
const TICK_MS = 20

/**
 * Calls `hear` every 20 ms with how late that call is, in milliseconds, until what it returns is called. A timer, since
 * Node's own measure of it knows percentiles, which nobody can add up. It keeps no process alive.
 */
export function watchLoopDelay(hear: (lateMs: number) => void): () => void {
  let expected = performance.now() + TICK_MS
  const timer = setInterval(() => {
    const now = performance.now()
    const lateMs = Math.max(0, now - expected)
    expected = now + TICK_MS
    hear(lateMs)
  }, TICK_MS).unref()
  return () => clearInterval(timer)
}
