/**
 * Which of a site's languages a client gets (RFC 9110 section 12.5.4; the look-up of RFC 4647 section 3.4).
 * Pure; cached pages are chosen with it.
 */

/** More ranges than any client sends. */
const MAX_RANGES = 32
const RANGE =
  /^([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i

/**
 * The member of `available` that `field` likes best; among equals the one that it names first. A range `en-GB`
 * is also content with `en`, and `en` with `en-GB` where that is all there is. The first of `available` where
 * nothing fits, or the field is absent.
 */
export function negotiateLanguage(
  field: string | undefined,
  available: readonly [string, ...string[]] | readonly string[],
): string {
  const [fallback = ''] = available
  let best = fallback
  let bestQuality = 0
  for (const member of (field ?? '').split(',', MAX_RANGES)) {
    const match = RANGE.exec(member.trim())
    const quality = match === null ? 0 : Number(match[2] ?? 1)
    if (match === null || quality <= bestQuality) continue
    const found =
      match[1] === '*' ? fallback : lookUp((match[1] as string).toLowerCase(), available)
    if (found === undefined) continue
    best = found
    bestQuality = quality
  }
  return best
}

function lookUp(range: string, available: readonly string[]): string | undefined {
  for (let part = range; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('-')))) {
    const same = available.find((one) => one.toLowerCase() === part)
    if (same !== undefined) return same
  }
  return available.find((one) => one.toLowerCase().startsWith(`${range}-`))
}
