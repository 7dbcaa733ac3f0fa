/** Numbers, plurals and times in the visitor's language, all by `Intl`. */
import type { Plural } from './dictionary.ts'
import type { Language } from './language.ts'

/** What `<time>` needs: the moment for machines, as a person says it, and in full. */
export interface Moment {
  readonly iso: string
  readonly short: string
  readonly full: string
}

/** Where the board hangs: times without a visitor's own zone are told in this one. */
const TIME_ZONE = 'Asia/Seoul'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const tools = { ko: createTools('ko'), en: createTools('en') }

/** Fills the `{name}` places of a phrase. */
export function fill(phrase: string, values: Readonly<Record<string, string>>): string {
  return phrase.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place)
}

export function formatNumber(lang: Language, value: number): string {
  return tools[lang].number.format(value)
}

/** The form of a phrase for `n`, with `{n}` filled in. */
export function formatCount(lang: Language, forms: Plural, n: number): string {
  const form = forms[tools[lang].plural.select(n)] ?? forms.other
  return fill(form, { n: formatNumber(lang, n) })
}

/** `3 hours ago` within a week of `now`, else the date. */
export function formatMoment(lang: Language, date: Date, now: Date = new Date()): Moment {
  const { relative, date: dates, full } = tools[lang]
  const age = Math.max(0, now.getTime() - date.getTime())
  let short = dates.format(date)
  if (age < MINUTE_MS) short = relative.format(0, 'second')
  else if (age < HOUR_MS) short = relative.format(-Math.floor(age / MINUTE_MS), 'minute')
  else if (age < DAY_MS) short = relative.format(-Math.floor(age / HOUR_MS), 'hour')
  else if (age < 7 * DAY_MS) short = relative.format(-Math.floor(age / DAY_MS), 'day')
  return { iso: date.toISOString(), short, full: full.format(date) }
}

/** A duration with two or three digits that mean something: `84 µs`, `0.42 ms`, `12.3 ms`. */
export function formatDuration(lang: Language, ms: number): string {
  if (ms < 0.1) return `${formatNumber(lang, Math.round(ms * 1000))} µs`
  const digits = ms < 10 ? 2 : ms < 100 ? 1 : 0
  const number = ms.toLocaleString(lang, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return `${number} ms`
}

function createTools(lang: Language) {
  return {
    number: new Intl.NumberFormat(lang),
    plural: new Intl.PluralRules(lang),
    relative: new Intl.RelativeTimeFormat(lang, { numeric: 'auto' }),
    date: new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeZone: TIME_ZONE }),
    full: new Intl.DateTimeFormat(lang, {
      dateStyle: 'long',
      timeStyle: 'short',
      timeZone: TIME_ZONE,
    }),
  }
}
