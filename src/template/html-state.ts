/**
 * Where in an HTML page a piece of a template stands: a small reader of tags, attributes and elements with
 * text of their own (HTML standard, section 13.2.5, as far as it decides what a value may do). Pure; used
 * by `contexts.ts`. It reads character by character, so that it does not matter where a template is cut.
 */
import { hasGoodScheme } from './safe-html.ts'

/**
 * How a URL at the beginning of an attribute has gone on so far. `decided`: no scheme can follow any more, or a
 * good one was written. `script`: what follows may be the rest of a URL that runs a script.
 */
export type UrlProgress = 'nothing' | 'value' | 'name' | 'decided' | 'script'

export interface HtmlState {
  readonly at:
    | 'text'
    | 'tag-open'
    | 'tag-name'
    | 'in-tag'
    | 'attribute-name'
    | 'before-value'
    | 'double-quoted'
    | 'single-quoted'
    | 'unquoted'
    | 'comment'
    | 'markup-open'
    | 'markup'
    | 'cdata'
    | 'raw'
  /** Lower-case name of the tag that is open, or of the element whose raw text this is. At most 64 characters. */
  readonly tag: string
  readonly isEndTag: boolean
  /** A slash stands before what comes next. */
  readonly isClosed: boolean
  /** The tag has an `http-equiv` of `refresh`, or what may be one. */
  readonly refresh: boolean
  /** Of a `meta`: the place of a value in its `content`, which would be a URL if the tag turned out to refresh. */
  readonly content: string
  /** Lower-case name of the attribute. At most 64 characters. */
  readonly attribute: string
  readonly url: UrlProgress
  /** What was read last and may belong to what comes: of an attribute its beginning. At most 64 characters. */
  readonly recent: string
  /** Elements `svg` and `math` around: in them fewer elements have raw text. */
  readonly foreign: number
  /** Of a script: inside `<!--`, or inside a `<script>` in that, whose end does not end the element. */
  readonly nesting: 'none' | 'comment' | 'script'
  /** Of a script: the quote that is open on this line, and a backslash where the next character is escaped. */
  readonly quote: string
}

export const TEXT: HtmlState = {
  at: 'text',
  tag: '',
  isEndTag: false,
  isClosed: false,
  refresh: false,
  content: '',
  attribute: '',
  url: 'nothing',
  recent: '',
  foreign: 0,
  nesting: 'none',
  quote: '',
}

/** Elements whose content is not read as tags. */
export const RAW_ELEMENTS = new Set([
  'script',
  'style',
  'textarea',
  'title',
  'xmp',
  'iframe',
  'noembed',
  'noframes',
  'plaintext',
])
const BLANK = /[\t\n\f\r ]/
const LONGEST = 64

/** The state behind `text`. `onRefresh` gets the place of a value that turns out to be the URL of a refresh. */
export function advance(
  state: HtmlState,
  text: string,
  onRefresh?: (content: string) => void,
): HtmlState {
  let now = state
  for (let i = 0; i < text.length; i++) {
    if (now.at === 'text') {
      // Most of a page: nothing but `<` ends it.
      i = text.indexOf('<', i)
      if (i === -1) break
    }
    const next = step(now, text[i] as string)
    if (next.refresh && !now.refresh && next.content !== '') onRefresh?.(next.content)
    now = next
  }
  return now
}

/** The state behind a value or JSON: what stands before it is not joined with what comes. */
export function behindValue(state: HtmlState): HtmlState {
  if (state.at === 'raw' || state.at === 'comment') return { ...state, recent: ' ' }
  return state.url === 'nothing' ? { ...state, url: 'value' } : state
}

function step(state: HtmlState, char: string): HtmlState {
  switch (state.at) {
    case 'text':
      return char === '<' ? { ...text(state), at: 'tag-open' } : state
    case 'tag-open':
      return afterOpen(state, char)
    case 'tag-name':
      return inTagName(state, char)
    case 'in-tag':
    case 'attribute-name':
      return inAttributes(state, char)
    case 'before-value':
      return beforeValue(state, char)
    case 'double-quoted':
      return char === '"' ? between(state) : inValue(state, char)
    case 'single-quoted':
      return char === "'" ? between(state) : inValue(state, char)
    case 'unquoted':
      if (BLANK.test(char)) return between(state)
      return char === '>' ? afterTag(state) : inValue(state, char)
    case 'comment':
      return inComment(state, char)
    case 'markup-open':
      return inMarkupOpen(state, char)
    case 'markup':
      return char === '>' ? text(state) : state
    case 'cdata': {
      const recent = (state.recent + char).slice(-3)
      return recent === ']]>' ? text(state) : { ...state, recent }
    }
    case 'raw':
      return inRaw(state, char)
  }
}

/** Text, inside of the same foreign elements. */
function text({ foreign }: HtmlState): HtmlState {
  return foreign === 0 ? TEXT : { ...TEXT, foreign }
}

function afterOpen(state: HtmlState, char: string): HtmlState {
  if (/[A-Za-z]/.test(char)) return { ...state, at: 'tag-name', tag: char.toLowerCase() }
  if (state.isEndTag) return char === '>' ? text(state) : { ...text(state), at: 'markup' }
  if (char === '/') return { ...state, isEndTag: true }
  if (char === '!') return { ...text(state), at: 'markup-open' }
  if (char === '?') return { ...text(state), at: 'markup' }
  return char === '<' ? state : text(state)
}

function inMarkupOpen(state: HtmlState, char: string): HtmlState {
  const recent = state.recent + char.toLowerCase()
  if (recent === '--') return { ...state, at: 'comment', recent: '' }
  if (recent === '[cdata[' && state.foreign > 0) return { ...state, at: 'cdata', recent: '' }
  if (recent === '-' || (state.foreign > 0 && '[cdata['.startsWith(recent))) {
    return { ...state, recent }
  }
  return char === '>' ? text(state) : { ...state, at: 'markup', recent: '' }
}

/** `<!-->` and `<!--->` are whole comments, and `--!>` ends one. */
function inComment(state: HtmlState, char: string): HtmlState {
  const { recent } = state
  if (char === '>' && (/--!?$/.test(recent) || recent === '' || recent === '-')) return text(state)
  return { ...state, recent: (recent + char).slice(-3) }
}

function inTagName(state: HtmlState, char: string): HtmlState {
  if (char === '>') return afterTag(state)
  if (char === '/' || BLANK.test(char)) return between(state, char === '/')
  return { ...state, tag: longer(state.tag, char) }
}

function inAttributes(state: HtmlState, char: string): HtmlState {
  if (char === '>') return afterTag(state)
  // A blank may still be followed by the `=` of the attribute before it; one without a name is itself a name.
  if (char === '=' && state.attribute !== '') return { ...state, at: 'before-value', ...NO_VALUE }
  if (BLANK.test(char)) return { ...state, at: 'in-tag' }
  if (char === '/') return between(state, true)
  const isGoingOn = state.at === 'attribute-name'
  const attribute = longer(isGoingOn ? state.attribute : '', char)
  return { ...state, at: 'attribute-name', attribute, isClosed: false }
}

/** No name that matters is longer. */
function longer(name: string, char: string): string {
  return name.length < LONGEST ? name + char.toLowerCase() : name
}

const NO_VALUE = { url: 'nothing', recent: '' } as const

function beforeValue(state: HtmlState, char: string): HtmlState {
  if (char === '"') return { ...state, at: 'double-quoted' }
  if (char === "'") return { ...state, at: 'single-quoted' }
  if (BLANK.test(char)) return state
  return char === '>' ? afterTag(state) : inValue({ ...state, at: 'unquoted' }, char)
}

function inValue(before: HtmlState, char: string): HtmlState {
  const state = before.attribute === 'http-equiv' ? refreshing(before, char) : before
  const { url } = state
  if (url === 'decided' || url === 'script') return state
  if (/[/?#.]/.test(char)) return { ...state, url: 'decided' }
  if (char === ':') {
    const isGood = url !== 'value' && hasGoodScheme(`${state.recent}:`)
    return { ...state, url: isGood ? 'decided' : 'script' }
  }
  if (url === 'value') return state
  // A character reference may be the colon.
  if (char === '&' || state.recent.length === LONGEST) return { ...state, url: 'script' }
  const recent = state.recent + char
  return BLANK.test(char) && url === 'nothing' ? state : { ...state, url: 'name', recent }
}

/** A character reference may be any of its letters. */
function refreshing(state: HtmlState, char: string): HtmlState {
  const isRefresh = char === '&' || `${state.recent}${char}`.trim().toLowerCase() === 'refresh'
  return isRefresh && state.tag === 'meta' ? { ...state, refresh: true } : state
}

function between(state: HtmlState, isClosed = false): HtmlState {
  return { ...state, at: 'in-tag', attribute: '', isClosed, ...NO_VALUE }
}

function afterTag(state: HtmlState): HtmlState {
  const { tag, isEndTag, isClosed } = state
  const isForeign = tag === 'svg' || tag === 'math'
  if (isForeign && isEndTag) return text({ ...state, foreign: Math.max(0, state.foreign - 1) })
  if (isForeign && !isClosed)
    return text({ ...state, foreign: Math.min(LONGEST, state.foreign + 1) })
  // In an svg a title is an element like others, and a slash ends every element.
  const isRaw = state.foreign === 0 || (tag !== 'title' && !isClosed)
  if (isEndTag || !isRaw || !RAW_ELEMENTS.has(tag)) return text(state)
  return { ...text(state), at: 'raw', tag }
}

function inRaw(state: HtmlState, char: string): HtmlState {
  const { tag, recent } = state
  const isWordEnd = char === '>' || char === '/' || BLANK.test(char)
  if (isWordEnd && recent.endsWith(`</${tag}`)) {
    if (state.nesting !== 'script') {
      return inTagName({ ...text(state), at: 'tag-name', tag, isEndTag: true }, char)
    }
    return { ...state, nesting: 'comment', recent: char }
  }
  const next = (recent + char.toLowerCase()).slice(-12)
  if (tag !== 'script') return { ...state, recent: next }
  const nesting = nestingOf(state, next, isWordEnd)
  return { ...state, recent: next, nesting, quote: quoteBehind(state.quote, char) }
}

/** HTML standard, sections 13.2.5.20 to 13.2.5.31: what looks like comments and scripts in a script. */
function nestingOf(
  { nesting, recent }: HtmlState,
  next: string,
  isWordEnd: boolean,
): HtmlState['nesting'] {
  if (next.endsWith('-->')) return 'none'
  if (nesting === 'none') return next.endsWith('<!--') ? 'comment' : 'none'
  return isWordEnd && recent.endsWith('<script') ? 'script' : nesting
}

/** Texts in quotes end with their line; a backslash takes the next character. */
function quoteBehind(quote: string, char: string): string {
  if (/[\n\r\u2028\u2029]/.test(char)) return ''
  if (quote.length === 2) return quote.slice(0, 1)
  if (quote === '') return char === '"' || char === "'" ? char : ''
  if (char === '\\') return `${quote}\\`
  return char === quote ? '' : quote
}
