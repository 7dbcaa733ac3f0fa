/**
 * How commands of this machine find a server: its pid file, and the control socket beside it. Made by `supervise.ts` once
 * it serves.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Log } from '../core/log.ts'
import { type Answer, Control } from './control.ts'
import { claimPidFile, removePidFile } from './pid-file.ts'

export class Registration {
  readonly #answer: Answer
  readonly #log: Log
  #control: Control | null

  constructor(answer: Answer, log: Log) {
    this.#answer = answer
    this.#log = log
    this.#control = null
  }

  /**
   * From now on it is found by `file`; `before` is the pid of the server that it follows. A server is served without that,
   * too: the log says why it is not found.
   */
  async open(file: string, before: number | null): Promise<void> {
    this.#control?.close()
    try {
      mkdirSync(dirname(file), { recursive: true })
      this.#control = await Control.open(file, this.#answer)
      if (claimPidFile(file, this.#control.path, this.#log, before))
        await this.#control.place(before !== null)
      else this.close()
    } catch (error) {
      this.close()
      removePidFile(file)
      this.#log.warn(
        `"uwas stop" and its like cannot find this server: ${(error as Error).message}`,
      )
    }
  }

  /** What has been asked is answered. */
  close(): void {
    this.#control?.close()
    this.#control = null
  }
}
