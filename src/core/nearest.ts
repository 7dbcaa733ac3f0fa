/** Finds what somebody probably meant: the known word nearest to an unknown one. */

/** The candidate within two edits (one for words under five letters) of `word`, or undefined. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = word.length < 5 ? 2 : 3
  for (const candidate of candidates) {
    if (candidate.toLowerCase() === word.toLowerCase()) return candidate
    const distance = editDistance(word, candidate, bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Ends an error message: `; did you mean "x"?` when something is near, else the list when short. */
export function hintNearest(word: string, candidates: Iterable<string>): string {
  const known = [...candidates]
  const match = nearest(word, known)
  if (match !== undefined) return `; did you mean "${match}"?`
  return known.length > 0 && known.length <= 24 ? `; known are: ${known.sort().join(', ')}` : ''
}

/** Levenshtein distance, with neighbouring letters swapped counting once; `limit` when not below it. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(
        (above[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (above[j - 1] ?? 0) + (same ? 0 : 1),
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    before = above
    above = row
  }
  return above[b.length] ?? limit
}
