/**
 * Content negotiation by Accept (RFC 9110 section 12.5.1): the field as sent and the types on offer
 * come in, the one to send leaves. Pure; views (`req.accepts`), error pages and directory listings call it.
 */

interface MediaRange {
  /** As in the field, in lower case; `*` stands for any type or subtype. */
  readonly type: string
  /** 0 for any type, 1 for any subtype, 2 for a type, one more for each parameter. */
  readonly specificity: number
  /** `level=1`: name in lower case, value without quotes. */
  readonly parameters: readonly string[]
  /** 0 to 1000: quality in thousandths. */
  readonly quality: number
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
/** One member from the place where the last one ended; sticky, so that nothing is read twice. */
const TYPE = new RegExp(`(${TOKEN})/(${TOKEN})`, 'y')
const PARAMETER = new RegExp(
  `[ \\t]*;[ \\t]*(?:(${TOKEN})=(${TOKEN}|"(?:[^"\\\\]|\\\\[\\t\\x20-\\xff])*"))?`,
  'y',
)
const BETWEEN = /[ \t]*(?:,[ \t]*)+|[ \t]*$/y
const BLANKS = /[ \t,]*/y
const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/** More members than any client sends; what stands behind them is not looked at. */
const MAX_MEMBERS = 64

/**
 * The member of `available` (`text/html` or `text/html;level=1`, in the server's order of preference)
 * that the client likes best: the highest quality; among equals the one that the client named most
 * exactly, then the first on offer. Without the field, or with an empty one, that is the first.
 * Undefined when the client accepts none. A member that is malformed is left out (section 5.6.1), and
 * with it everything behind it.
 */
export function negotiateType(
  accept: string | undefined,
  available: readonly string[],
): string | undefined {
  if (accept === undefined || accept.trim() === '') return available[0]
  const ranges = parseAccept(accept)
  let best: { type: string; quality: number; specificity: number } | undefined
  for (const type of available) {
    const range = mostSpecific(ranges, offerOf(type))
    if (range === undefined || range.quality === 0) continue
    const { quality, specificity } = range
    const isBetter =
      best === undefined ||
      quality > best.quality ||
      (quality === best.quality && specificity > best.specificity)
    if (isBetter) best = { type, quality, specificity }
  }
  return best?.type
}

/** A type of ours, read as one of the field's; malformed, it is of no range. */
function offerOf(type: string): Pick<MediaRange, 'type' | 'parameters'> {
  return readRange(type, 0)?.range ?? { type, parameters: [] }
}

/**
 * The range that speaks for a type: the most specific one that covers it (section 12.5.1). One with
 * parameters covers what has all of them.
 */
function mostSpecific(
  ranges: readonly MediaRange[],
  { type, parameters }: Pick<MediaRange, 'type' | 'parameters'>,
): MediaRange | undefined {
  const anySubtype = `${type.slice(0, type.indexOf('/'))}/*`
  let best: MediaRange | undefined
  for (const range of ranges) {
    const covers = range.type === type || range.type === anySubtype || range.type === '*/*'
    if (!covers || !range.parameters.every((one) => parameters.includes(one))) continue
    if (best === undefined || range.specificity > best.specificity) best = range
  }
  return best
}

/** The well-formed members of an Accept field, in its order. */
export function parseAccept(accept: string): MediaRange[] {
  const ranges: MediaRange[] = []
  let at = skip(BLANKS, accept, 0)
  while (at < accept.length && ranges.length < MAX_MEMBERS) {
    const read = readRange(accept, at)
    if (read === undefined) break
    ranges.push(read.range)
    BETWEEN.lastIndex = read.next
    if (!BETWEEN.test(accept)) break
    at = BETWEEN.lastIndex
  }
  return ranges
}

function readRange(accept: string, from: number): { range: MediaRange; next: number } | undefined {
  TYPE.lastIndex = from
  const found = TYPE.exec(accept)
  if (found === null) return undefined
  const main = (found[1] as string).toLowerCase()
  const sub = (found[2] as string).toLowerCase()
  if (main === '*' && sub !== '*') return undefined
  let next = TYPE.lastIndex
  let quality = 1000
  const parameters: string[] = []
  for (;;) {
    PARAMETER.lastIndex = next
    const parameter = PARAMETER.exec(accept)
    if (parameter === null) break
    next = PARAMETER.lastIndex
    const [, name, value = ''] = parameter
    if (name === undefined) continue
    if (name.toLowerCase() === 'q') {
      if (!QUALITY.test(value)) return undefined
      quality = Math.round(Number(value) * 1000)
    } else parameters.push(parameterOf(name.toLowerCase(), value))
  }
  const specificity = main === '*' ? 0 : sub === '*' ? 1 : 2 + parameters.length
  return { range: { type: `${main}/${sub}`, specificity, parameters, quality }, next }
}

/** Quoted or not, the value is the same (section 5.6.6); of a charset its case does not count either. */
function parameterOf(name: string, value: string): string {
  const bare = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
  return `${name}=${name === 'charset' ? bare.toLowerCase() : bare}`
}

function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  pattern.test(text)
  return pattern.lastIndex
}
