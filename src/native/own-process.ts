/**
 * What a worker asks of the kernel for itself: to end with its supervisor, and to stay on one core. Made by
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
}

/** The addon's functions. */
export interface RawProcess {
  endWithParent(parent: number, seconds: number): boolean
  pinToCore(index: number): number
}

/** Null without the addon, and where it is not Linux. */
export function createOwnProcess({
  endWithParent,
  pinToCore,
}: Partial<RawProcess>): OwnProcess | null {
  if (endWithParent === undefined || pinToCore === undefined) return null
  return { endWithParent: (seconds) => endWithParent(process.ppid, seconds), pinToCore }
}
