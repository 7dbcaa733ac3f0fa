/** Messages of a session that tell names and types → objects (PostgreSQL 18, section 54.7). Used by `session.ts`. */
import { int16At, int32At } from './input.ts'
import type { Column } from './task.ts'

export function isSame(some: readonly Column[], others: readonly Column[]): boolean {
  if (some.length !== others.length) return false
  return some.every(({ name, type }, i) => name === others[i]?.name && type === others[i]?.type)
}

/** RowDescription: for each column a name, then 18 bytes of which the type's oid is of interest. */
export function readColumns(buffer: Buffer, at: number): Column[] {
  const columns: Column[] = []
  let from = at + 2
  for (let i = int16At(buffer, at); i > 0; i--) {
    const stop = buffer.indexOf(0, from)
    const type = int32At(buffer, stop + 7) >>> 0
    columns.push({ name: buffer.toString('utf8', from, stop), type })
    from = stop + 19
  }
  return columns
}

export function readOids(buffer: Buffer, at: number): number[] {
  const count = int16At(buffer, at)
  return Array.from({ length: count }, (_, i) => int32At(buffer, at + 2 + 4 * i) >>> 0)
}

/** NotificationResponse: the sender's process, the channel, what was sent. */
export function readNotification(buffer: Buffer, at: number): [channel: string, payload: string] {
  const channelEnd = buffer.indexOf(0, at + 4)
  const end = buffer.indexOf(0, channelEnd + 1)
  const channel = buffer.toString('utf8', at + 4, channelEnd)
  return [channel, buffer.toString('utf8', channelEnd + 1, end)]
}
