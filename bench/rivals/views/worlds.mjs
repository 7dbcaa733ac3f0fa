/** What the views of rows share: the ids to read, and the number of rows asked for. */

export function randomNumber() {
  return 1 + Math.floor(Math.random() * 10_000)
}

/** In ascending order, so that two requests do not wait for each other's rows in a circle. */
export function distinctIds(count) {
  const ids = new Set()
  while (ids.size < count) ids.add(randomNumber())
  return [...ids].sort((a, b) => a - b)
}

/** From 1 to 500; 1 for what is no number. */
export function countOf(text) {
  return Math.min(500, Math.max(1, Math.trunc(Number(text)) || 1))
}
