/**
 * Where in an HTML page a piece of a template stands: a small reader of tags, attributes and elements with
 * text of their own (HTML standard, section 13.2.5, as far as it decides what a value may do). Pure; used
 * by `contexts.ts`.
 */

/** How a URL at the beginning of an attribute has gone on so far. */
export type UrlProgress = 'nothing' | 'value' | 'decided' | 'name'

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
    | 'markup'
    | 'raw'
  /** Lower-case name of the tag that is open, or of the element whose raw text this is. At most 64 characters. */
  readonly tag: string
  readonly isEndTag: boolean
  /** Lower-case name of the attribute. At most 64 characters. */
  readonly attribute: string
  readonly url: UrlProgress
}

export const TEXT: HtmlState = {
  at: 'text',
  tag: '',
  isEndTag: false,
  attribute: '',
  url: 'nothing',
}

/** Elements whose content is not read as tags. */
const RAW_ELEMENTS = new Set([
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

/** The state behind `text`. */
export function advance(state: HtmlState, text: string): HtmlState {
  let now = state
  for (let i = 0; i < text.length; i++) {
    const [next, skipped] = step(now, text, i)
    now = next
    i += skipped
  }
  return now
}

/** One character; with it, how many more were read. */
function step(state: HtmlState, text: string, i: number): [HtmlState, number] {
  const char = text[i] as string
  switch (state.at) {
    case 'text':
      return char === '<' ? openTag(state, text, i) : [state, 0]
    case 'tag-open':
      return [afterOpen(state, char), 0]
    case 'tag-name':
      return [inTagName(state, char), 0]
    case 'in-tag':
    case 'attribute-name':
      return [inAttributes(state, char), 0]
    case 'before-value':
      return [beforeValue(state, char), 0]
    case 'double-quoted':
      return [char === '"' ? between(state) : inValue(state, char), 0]
    case 'single-quoted':
      return [char === "'" ? between(state) : inValue(state, char), 0]
    case 'unquoted':
      if (BLANK.test(char)) return [between(state), 0]
      return [char === '>' ? afterTag(state) : inValue(state, char), 0]
    case 'comment':
      return text.startsWith('-->', i) ? [TEXT, 2] : [state, 0]
    case 'markup':
      return [char === '>' ? TEXT : state, 0]
    case 'raw':
      return inRaw(state, text, i)
  }
}

function openTag(state: HtmlState, text: string, i: number): [HtmlState, number] {
  if (text.startsWith('<!--', i)) return [{ ...TEXT, at: 'comment' }, 3]
  return [{ ...state, at: 'tag-open', tag: '', isEndTag: false }, 0]
}

function afterOpen(state: HtmlState, char: string): HtmlState {
  if (char === '/') return { ...state, isEndTag: true }
  if (char === '!' || char === '?') return { ...TEXT, at: 'markup' }
  if (/[A-Za-z]/.test(char)) return { ...state, at: 'tag-name', tag: char.toLowerCase() }
  return TEXT
}

function inTagName(state: HtmlState, char: string): HtmlState {
  if (char === '>') return afterTag(state)
  if (char === '/' || BLANK.test(char)) return between(state)
  return { ...state, tag: longer(state.tag, char) }
}

function inAttributes(state: HtmlState, char: string): HtmlState {
  if (char === '>') return afterTag(state)
  if (char === '=') return { ...state, at: 'before-value', url: 'nothing' }
  // A blank may still be followed by the `=` of the attribute before it.
  if (BLANK.test(char)) return { ...state, at: 'in-tag' }
  if (char === '/') return between(state)
  const isGoingOn = state.at === 'attribute-name'
  const attribute = longer(isGoingOn ? state.attribute : '', char)
  return { ...state, at: 'attribute-name', attribute }
}

/** No name that matters is longer. */
function longer(name: string, char: string): string {
  return name.length < 64 ? name + char.toLowerCase() : name
}

function beforeValue(state: HtmlState, char: string): HtmlState {
  if (char === '"') return { ...state, at: 'double-quoted' }
  if (char === "'") return { ...state, at: 'single-quoted' }
  if (BLANK.test(char)) return state
  return char === '>' ? afterTag(state) : inValue({ ...state, at: 'unquoted' }, char)
}

/** After one of these no scheme can follow any more, or it has been written here. */
function inValue(state: HtmlState, char: string): HtmlState {
  if (state.url === 'decided') return state
  if (/[/?#:.]/.test(char)) return { ...state, url: 'decided' }
  return BLANK.test(char) || state.url === 'value' ? state : { ...state, url: 'name' }
}

function between(state: HtmlState): HtmlState {
  return { ...state, at: 'in-tag', attribute: '', url: 'nothing' }
}

function afterTag({ tag, isEndTag }: HtmlState): HtmlState {
  return !isEndTag && RAW_ELEMENTS.has(tag) ? { ...TEXT, at: 'raw', tag } : TEXT
}

function inRaw(state: HtmlState, text: string, i: number): [HtmlState, number] {
  const end = `</${state.tag}`
  const isEnd =
    text.slice(i, i + end.length).toLowerCase() === end &&
    !/[A-Za-z0-9]/.test(text[i + end.length] ?? ' ')
  if (!isEnd) return [state, 0]
  return [{ ...TEXT, at: 'tag-name', tag: state.tag, isEndTag: true }, end.length - 1]
}
