/** A worker's side of the status listener: it tells what it has counted, and answers its supervisor. Made by `worker.ts`. */
import type { App } from '../app.ts'
import type { Channel } from './channel.ts'
import type { Asked } from './messages.ts'
import { Reports } from './reports.ts'

export class WorkerAnswers {
  readonly #app: Pick<App, 'readiness' | 'metrics'>
  readonly #channel: Channel
  readonly #reports: Reports

  constructor(app: Pick<App, 'readiness' | 'metrics'>, channel: Channel) {
    this.#app = app
    this.#channel = channel
    this.#reports = new Reports(app.metrics)
  }

  /** Tells what has changed, so that little is lost where the process is killed. Resolves when it is on its way. */
  async tellMetrics(): Promise<void> {
    if (this.#app.metrics.length === 0) return
    await this.#channel.tell({ type: 'metrics', reports: this.#reports.next() })
  }

  async answer({ id, question }: Asked): Promise<void> {
    if (question === 'metrics') {
      await this.tellMetrics()
      await this.#channel.tell({ type: 'answer', answer: { id } })
    } else {
      const readiness = await this.#app.readiness()
      await this.#channel.tell({ type: 'answer', answer: { id, readiness } })
    }
  }
}
