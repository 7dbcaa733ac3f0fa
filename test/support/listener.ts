/** Hears of answered requests, and waits for them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExchangeRecord } from '../../src/observe/exchange-record.ts'
import type { ExchangeListener } from '../../src/observe/observer.ts'

/** A copy of a record, which is used again. */
export type Heard = Omit<ExchangeRecord, 'follow' | 'begin' | 'end'>

export interface TestListener extends ExchangeListener {
  readonly heard: Heard[]
  /** Resolves to all that was heard once there are so many, or when that takes too long. */
  wait(count: number): Promise<Heard[]>
}

export function listenerOf(needs: Partial<ExchangeListener> = {}): TestListener {
  const heard: Heard[] = []
  return {
    needsTime: true,
    needsClient: true,
    fields: [],
    ...needs,
    heard,
    ended(record) {
      heard.push({ ...record, id: record.id, user: record.user })
    },
    async wait(count) {
      for (let i = 0; i < 2000 && heard.length < count; i++) await sleep(5)
      return heard
    },
  }
}
