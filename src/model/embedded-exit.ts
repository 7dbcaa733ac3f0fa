/**
 * What must not outlive this process. Gets how to end it; does so when the process exits in any way
 * but a kill. Called by the embedded PostgreSQL, whose server runs in a session of its own.
 */

const endings = new Set<() => void>()

/** Calls `end`, which has to be synchronous, when the process exits. Returns how to take that back. */
export function atExit(end: () => void): () => void {
  if (endings.size === 0) process.once('exit', runAll)
  endings.add(end)
  return () => {
    endings.delete(end)
    if (endings.size === 0) process.off('exit', runAll)
  }
}

/** Sends `signal` to a process that was started, at exit; nothing once it has ended by itself. */
export function endAtExit(
  child: { kill(signal: NodeJS.Signals): boolean; once(event: 'exit', then: () => void): unknown },
  signal: NodeJS.Signals,
): void {
  child.once(
    'exit',
    atExit(() => child.kill(signal)),
  )
}

function runAll(): void {
  for (const end of endings) {
    try {
      end()
    } catch {
      // The process is exiting: nothing is left to do about one that cannot be ended.
    }
  }
}
