/**
 * What a tag may not do where it stands in the HTML, and what to write instead. Pure; used by `contexts.ts`, which
 * knows the place of each tag.
 */
import type { ValueNode } from './ast.ts'
import type { HtmlState } from './html-state.ts'

/** Attributes whose value the browser follows or loads. */
export const URL_ATTRIBUTES = new Set([
  'href',
  'src',
  'action',
  'formaction',
  'poster',
  'cite',
  'background',
  'data',
  'ping',
  'manifest',
  'srcset',
  'imagesrcset',
  'xlink:href',
])

/** Elements that give another element's attribute a value, and the attributes that hold it. */
export const ANIMATIONS = new Set(['animate', 'animatetransform', 'animatemotion', 'set'])
export const ANIMATED = new Set(['to', 'from', 'by', 'values'])

/** In quotes, in an attribute that no script is made of. */
export function isUrlAttribute({ at, attribute }: HtmlState): boolean {
  const isQuoted = at === 'double-quoted' || at === 'single-quoted'
  return isQuoted && !attribute.startsWith('on') && attribute !== 'style' && attribute !== 'srcdoc'
}

export type Advice = readonly [where: string, advice: string]

export const IN_REFRESH: Advice = ['in the URL of a refresh', 'redirect in the view']

/** Why an escaped value cannot stand here; undefined where it can. */
export function adviceOn(node: ValueNode, state: HtmlState): Advice | undefined {
  const { text } = node.name
  if (node.escape === 'json') return adviceOnJson(text, state)
  switch (state.at) {
    case 'text':
    case 'comment':
      return undefined
    case 'double-quoted':
    case 'single-quoted':
      return adviceOnAttribute(text, state)
    case 'raw':
      if (state.tag === 'textarea' || state.tag === 'title') return undefined
      return state.tag === 'script'
        ? ['in <script>', `write {{#json}}${text}{{/json}}, or put it into a data attribute`]
        : [`in <${state.tag}>`, 'write a class or a data attribute, and let the file decide']
    case 'before-value':
    case 'unquoted':
      return ['in an attribute without quotes', `write quotes: ${state.attribute}="{{${text}}}"`]
    default:
      return [describe(state), 'only sections around whole attributes can stand there']
  }
}

function adviceOnJson(text: string, state: HtmlState): Advice | undefined {
  if (state.at !== 'raw' || state.tag !== 'script') {
    return [describe(state), `{{#json}} is for <script>; here write {{${text}}}`]
  }
  if (state.quote === '') return undefined
  return [
    'in quotes of a script',
    'JSON brings its own: write it without, on a line that has no other open quote before it',
  ]
}

function adviceOnAttribute(text: string, state: HtmlState): Advice | undefined {
  const { tag, attribute, url, refresh } = state
  if (attribute.startsWith('on')) {
    return [
      `in ${attribute}, which is a script`,
      `write data-…="{{${text}}}" and read it in a file`,
    ]
  }
  if (attribute === 'style') return ['in a style attribute', 'write a class or a data attribute']
  if (attribute === 'srcdoc') return ['in srcdoc, which is a whole page', 'give the page a URL']
  if (attribute === 'http-equiv') return ['in http-equiv', 'write the field itself in the view']
  if (tag === 'meta' && attribute === 'content' && (refresh || /^[\d.]/.test(state.recent))) {
    return IN_REFRESH
  }
  if (ANIMATIONS.has(tag) && ANIMATED.has(attribute)) {
    return [`in ${attribute} of <${tag}>, which can become a link`, 'write the values themselves']
  }
  if (!URL_ATTRIBUTES.has(attribute) || url === 'nothing' || url === 'decided') return undefined
  if (url === 'script') {
    return [
      'behind what may be a scheme that runs a script',
      'begin the URL with / or with https:, or make it one value',
    ]
  }
  return [
    'behind the beginning of a URL, where both together could be a script',
    'begin the URL with / or with its scheme, or make it one value',
  ]
}

/** Raw output is the site's own affair in text; in a tag it would be no text any more. */
export function adviceOnRaw(state: HtmlState): Advice | undefined {
  if (state.at === 'text' || state.at === 'raw' || state.at === 'comment') return undefined
  return [`${describe(state)}, and is not escaped`, 'write {{…}} in quotes']
}

export function describe({ at, tag, attribute, foreign }: HtmlState): string {
  switch (at) {
    case 'text':
      return foreign > 0 ? 'in text of an <svg> or <math>' : 'in text'
    case 'comment':
      return 'in a comment'
    case 'raw':
      return `in <${tag}>`
    case 'double-quoted':
    case 'single-quoted':
      return `in the attribute ${attribute}`
    case 'unquoted':
    case 'before-value':
      return `in the attribute ${attribute} without quotes`
    case 'tag-open':
    case 'tag-name':
      return 'in the name of a tag'
    case 'markup':
    case 'markup-open':
    case 'cdata':
      return 'in a declaration'
    default:
      return `among the attributes of <${tag}>`
  }
}
