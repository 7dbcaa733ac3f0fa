/**
 * What a worker asks of the kernel for itself: to end with its supervisor, and to stay on one core; and what a
 * supervisor tells the service manager. Made by
 * `skin.ts`; called by `supervisor/`.
 */

export interface OwnProcess {
  /**
   * From now on the end of the parent process ends this one after `seconds` (0: at once), even where its event loop
   * stands still (prctl(2), PR_SET_PDEATHSIG). A later call changes the time. False where the parent has ended, or the
   * kernel does not do it.
   */
  endWithParent(seconds: number): boolean
  /**
   * Keeps all threads on one core: of those that this process may use the one at `index`, counted around
   * (sched_setaffinity(2)). The core's number, or -1 where the kernel refuses.
   */
  pinToCore(index: number): number
  /**
   * Sends `state` (lines of sd_notify(3)) to the unix socket at `path`, `@` in front for the abstract namespace. Returns
   * 0, or the number of the system's error.
   */
  notify(path: string, state: string): number
}

/** The addon's functions. */
export interface RawProcess {
  endWithParent(parent: number, seconds: number): boolean
  pinToCore(index: number): number
  notify(path: string, state: string): number
}

/** Null without the addon, and where it is not Linux. */
export function createOwnProcess({
  endWithParent,
  pinToCore,
  notify,
}: Partial<RawProcess>): OwnProcess | null {
  if (endWithParent === undefined || pinToCore === undefined || notify === undefined) return null
  return { endWithParent: (seconds) => endWithParent(process.ppid, seconds), pinToCore, notify }
}
