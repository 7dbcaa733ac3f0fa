/** Page numbers of a list: which one is asked for, how many there are, which ones are offered. */

export const PAGE_SIZE = 10

/** The value of `?page=`: 1 when it is absent, undefined when it is no page number at all. */
export function readPageNumber(text: string | null): number | undefined {
  if (text === null) return 1
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : undefined
}

/** Pages that `total` things fill; an empty list has one, empty, page. */
export function pageCount(total: number): number {
  return Math.max(1, Math.ceil(total / PAGE_SIZE))
}

/** First, last, and those around the current one, in order; null stands for what is left out. */
export function pageNumbers(current: number, pages: number): (number | null)[] {
  const wanted = [1, current - 1, current, current + 1, pages]
  const shown = [...new Set(wanted)].filter((n) => n >= 1 && n <= pages).sort((a, b) => a - b)
  return shown.flatMap((n, i) => {
    const skipped = n - (shown[i - 1] ?? 0) - 1
    if (skipped === 0) return [n]
    return skipped === 1 ? [n - 1, n] : [null, n]
  })
}
