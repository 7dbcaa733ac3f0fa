/** What each kind of profile is given, and what it gives. */
import type { LoadResult } from '../../method/load.ts'
import type { Target } from '../subject.ts'

export interface Order {
  readonly target: Target
  readonly seconds: number
  readonly connections: number | undefined
  /** Where its files begin. */
  readonly stem: string
}

export interface Kind {
  readonly title: string
  /** Why it cannot be done here and how to get what is missing, or undefined. */
  missing?(): string | undefined
  /** Prints what it found; resolves with the files that it left. */
  profile(order: Order): Promise<readonly string[]>
}

/** In the head of all reports. */
export function underLoad({ requests, seconds, errors }: LoadResult): string {
  const broken = errors === 0 ? '' : `, ${errors} errors`
  return `${seconds.toFixed(1)} s under load on one core, ${count(requests / seconds)} requests a second${broken}`
}

export function count(value: number, digits = 0): string {
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

export function share(part: number, whole: number): string {
  return `${count((100 * part) / whole, 1)} %`
}
