/**
 * Which of the languages on offer a client reads best, by Accept-Language (RFC 9110 section 12.5.4). Pure;
 * `req.acceptsLanguages` calls it.
 */

interface LanguageRange {
  /** In lower case; `*` for any. */
  readonly tag: string
  /** 0 to 1000: quality in thousandths. */
  readonly quality: number
  /** Its place in the field: of two that are liked as well, the first is meant. */
  readonly index: number
}

const MEMBER =
  /^[ \t]*([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?[ \t]*$/i

/** More members than any client sends; what stands behind them is not looked at. */
const MAX_MEMBERS = 64

/**
 * The member of `available` (language tags as `en` or `pt-BR`, in the server's order of preference) that the
 * client likes best. `en` of the field covers `en-GB` on offer, and where nothing says more, `en-GB` of the
 * field makes do with `en` (RFC 4647 sections 3.3.1 and 3.4). Of two that are liked as well, the one that the
 * field names first. Without the field, or with an empty one, the first on offer. Undefined when the client
 * reads none; members that are malformed are left out.
 */
export function negotiateLanguage(
  field: string | undefined,
  available: readonly string[],
): string | undefined {
  if (field === undefined || field.trim() === '') return available[0]
  const ranges = parseAcceptLanguage(field)
  let best: { readonly tag: string; readonly range: LanguageRange } | undefined
  for (const tag of available) {
    const range = rangeFor(ranges, tag.toLowerCase())
    if (range === undefined || range.quality === 0) continue
    const isBetter =
      best === undefined ||
      range.quality > best.range.quality ||
      (range.quality === best.range.quality && range.index < best.range.index)
    if (isBetter) best = { tag, range }
  }
  return best?.tag
}

function parseAcceptLanguage(field: string): LanguageRange[] {
  return field.split(',', MAX_MEMBERS).flatMap((member, index) => {
    const [, tag, quality = '1'] = MEMBER.exec(member) ?? []
    if (tag === undefined) return []
    return [{ tag: tag.toLowerCase(), quality: Math.round(Number(quality) * 1000), index }]
  })
}

/** The longest range that covers `tag`; else the best that is more exact than it, else `*`. */
function rangeFor(ranges: readonly LanguageRange[], tag: string): LanguageRange | undefined {
  const covering = ranges.filter((range) => tag === range.tag || tag.startsWith(`${range.tag}-`))
  if (covering.length > 0) return covering.reduce((a, b) => (b.tag.length > a.tag.length ? b : a))
  const narrower = ranges.filter(
    ({ tag: one, quality }) => quality > 0 && one.startsWith(`${tag}-`),
  )
  if (narrower.length > 0) return narrower.reduce((a, b) => (b.quality > a.quality ? b : a))
  return ranges.find((range) => range.tag === '*')
}
