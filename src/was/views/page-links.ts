/** Links to other pages of a list, by number or by cursor, that keep what else the query says. Called by views. */
import { notFound } from '../../http/http-error.ts'
import type { Request } from '../../http/request.ts'

/** Which rows a numbered page shows. */
export interface PageRange {
  /** From 1. */
  readonly number: number
  readonly limit: number
  /** Rows before it. */
  readonly offset: number
}

/** A numbered page among the others, for its template. Links begin with `?`. */
export interface PageLinks {
  readonly number: number
  /** Of all pages; a list without rows has one. Undefined where nobody has counted. */
  readonly count: number | undefined
  /** Undefined on the first page, and on the last. */
  readonly previous: string | undefined
  readonly next: string | undefined
  /** First, last where it is known, and those around the current one; a gap stands for what is left out. */
  readonly pages: readonly {
    readonly number: number
    readonly href: string
    readonly isCurrent: boolean
    readonly isGap: boolean
  }[]
}

/** `?page=` of the request; 404 for what is no page number (1 to 9,999,999). */
export function pageRange(req: Request, limit = 20): PageRange {
  const text = req.query.get('page') ?? '1'
  if (!/^[1-9]\d{0,6}$/.test(text)) throw notFound()
  const number = Number(text)
  return { number, limit, offset: (number - 1) * limit }
}

/** What is known of a list that is too long to be counted. */
export interface OpenEnd {
  /** Whether there are rows behind the page: ask for `limit + 1`, and show `limit`. */
  readonly hasNext: boolean
}

/**
 * The links of a page of a list of `total` rows; 404 where the list ends before it. A list that is not counted says
 * `{ hasNext }` instead, and throws `notFound()` itself for a page without rows.
 */
export function pageLinks(
  req: Request,
  { number, limit }: PageRange,
  total: number | OpenEnd,
): PageLinks {
  const isCounted = typeof total === 'number'
  const count = isCounted ? Math.max(1, Math.ceil(total / limit)) : undefined
  const last = isCounted ? (count as number) : number + (total.hasNext ? 1 : 0)
  if (number > last) throw notFound()
  const href = (n: number) => queryWith(req, 'page', n === 1 ? undefined : String(n))
  const wanted = new Set([1, number - 1, number, number + 1, last])
  const shown = [...wanted].filter((n) => n >= 1 && n <= last).sort((a, b) => a - b)
  return {
    number,
    count,
    previous: number > 1 ? href(number - 1) : undefined,
    next: number < last ? href(number + 1) : undefined,
    pages: shown.flatMap((n, i) => {
      const page = { number: n, href: href(n), isCurrent: n === number, isGap: false }
      const skipped = n - (shown[i - 1] ?? 0) - 1
      if (skipped === 0) return [page]
      return [{ number: n - 1, href: href(n - 1), isCurrent: false, isGap: skipped > 1 }, page]
    }),
  }
}

/** The request's query with one name set, or taken out, as a link: `?tag=a&page=2`. */
export function queryWith(req: Request, name: string, value: string | undefined): string {
  const query = new URLSearchParams(req.query)
  if (value === undefined) query.delete(name)
  else query.set(name, value)
  return `?${query}`
}
