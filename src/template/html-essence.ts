/**
 * What of a place in HTML matters to what stands there: two places of which it is equal escape alike, and so a
 * partial in a thousand attributes is looked at as often as there are kinds of attributes. Used by `contexts.ts`.
 */
import { ANIMATED, ANIMATIONS, URL_ATTRIBUTES } from './context-advice.ts'
import { type HtmlState, RAW_ELEMENTS } from './html-state.ts'

const OTHER_TAGS = new Set([...ANIMATIONS, 'svg', 'math', 'meta'])
const OTHER_ATTRIBUTES = new Set(['style', 'srcdoc', 'http-equiv', 'content'])

/** The place, with names and texts that make no difference replaced by one of their kind. */
export function essenceOf(state: HtmlState): HtmlState {
  switch (state.at) {
    case 'text':
    case 'tag-open':
    case 'tag-name':
    case 'attribute-name':
    case 'markup-open':
    case 'markup':
    case 'cdata':
    case 'comment':
      return state
    case 'raw':
      return { ...state, recent: openEnd(state.recent) }
    case 'in-tag':
    case 'before-value':
    case 'double-quoted':
    case 'single-quoted':
    case 'unquoted':
      return inTag(state)
    default:
      return state.at satisfies never
  }
}

/** The end of content that was looked at from `like`, as it is for content that begins at `from`. */
export function endFrom(from: HtmlState, like: HtmlState, end: HtmlState): HtmlState {
  const attribute = end.attribute === like.attribute ? from.attribute : end.attribute
  const tag = end.tag === like.tag ? from.tag : end.tag
  return { ...end, attribute, tag }
}

/** What a tag, or the mark of a comment, may have begun with. */
function openEnd(recent: string): string {
  const at = recent.lastIndexOf('<')
  return at >= 0 ? recent.slice(at) : (/-+$/.exec(recent)?.[0] ?? '')
}

function inTag(state: HtmlState): HtmlState {
  const isOther = OTHER_TAGS.has(state.tag) || RAW_ELEMENTS.has(state.tag)
  const tag = isOther ? state.tag : 'p'
  const attribute = kindOf(state)
  if (attribute === 'title') return { ...state, tag, attribute, url: 'decided', recent: '' }
  const isName = state.url === 'name' || OTHER_ATTRIBUTES.has(attribute)
  return { ...state, tag, attribute, recent: isName ? state.recent : '' }
}

function kindOf({ tag, attribute }: HtmlState): string {
  if (attribute === '' || OTHER_ATTRIBUTES.has(attribute)) return attribute
  if (attribute.startsWith('on')) return 'onclick'
  if (ANIMATIONS.has(tag) && ANIMATED.has(attribute)) return attribute
  return URL_ATTRIBUTES.has(attribute) ? 'href' : 'title'
}
