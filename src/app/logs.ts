/** The files that a site writes lines to. Made by `app.ts`; they outlive a reload of the site's code. */
import type { Log } from '../core/log.ts'
import { AccessLog } from '../observe/access/access-log.ts'
import type { ExchangeListener } from '../observe/observer.ts'
import type { SiteConfig } from '../was/config.ts'

export interface Logs {
  /** Null: requests are not logged. */
  readonly access: AccessLog | null
  /** Opens its file; gives who wants to hear of requests. A reload calls it once more. */
  open(): ExchangeListener[]
  /** Goes on in the files that have the names by now: what a rotation from outside asks for. */
  reopen(): void
  close(): Promise<void>
}

/** `worker` from 1; 0 where there are none. Opens no file yet. Throws UWAS_ERR_OBSERVE_LOG_FORMAT. */
export function createLogs(
  { accessLog, tracing, notTraced }: SiteConfig,
  log: Log,
  worker: number,
): Logs {
  if (worker <= 1) for (const problem of notTraced) log.warn(`nothing is traced: ${problem}`)
  const isTraced = tracing !== null
  const access = accessLog === null ? null : new AccessLog(accessLog, { worker, isTraced, log })
  return {
    access,
    open() {
      access?.open()
      return access === null ? [] : [access]
    },
    reopen: () => access?.reopen(),
    close: async () => {
      await access?.close()
    },
  }
}
