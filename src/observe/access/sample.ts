/** Decides which requests are written where a part of them is enough. Evenly, not by chance: one in so many. */
import type { ExchangeRecord } from '../exchange-record.ts'
import type { AccessLogSample } from './options.ts'

/** Whether it is written. */
export type Sample = (record: ExchangeRecord) => boolean

interface Rule extends AccessLogSample {
  /** Reaches 1 with the request that is written. */
  due: number
}

/** Null where all are written. */
export function createSample(rules: readonly AccessLogSample[]): Sample | null {
  if (rules.length === 0) return null
  // What is written first is the first one, where anything is.
  const all = rules.map((rule): Rule => ({ ...rule, due: 1 - rule.share }))
  return (record) => {
    if (record.status >= 500) return true
    const rule = all.find((one) => fits(one, record))
    return rule === undefined || isDue(rule)
  }
}

function fits({ prefix, route }: AccessLogSample, record: ExchangeRecord): boolean {
  return prefix === undefined ? record.route === route : record.path.startsWith(prefix)
}

function isDue(rule: Rule): boolean {
  if (rule.share === 0) return false
  rule.due += rule.share
  // Sums of shares like 0.1 come a little short of 1.
  if (rule.due < 1 - 1e-9) return false
  rule.due -= 1
  return true
}
