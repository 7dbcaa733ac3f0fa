/**
 * Follows the templates of a site through the HTML that they make, and decides for every tag how its value
 * is escaped there. What no escaping makes safe is an error that says what to write instead. Called by
 * `templates.ts` after the links are known to lead somewhere.
 */
import type {
  BlockNode,
  CachedNode,
  Node,
  ParentNode,
  PartialNode,
  SectionNode,
  Template,
  UrlNode,
  ValueNode,
} from './ast.ts'
import { Blocks } from './blocks.ts'
import { Mistakes } from './errors.ts'
import type { Library } from './generate.ts'
import { advance, behindValue, type HtmlState, TEXT } from './html-state.ts'
import { errorAt } from './place.ts'

/** Attributes whose value the browser follows or loads. */
const URL_ATTRIBUTES = new Set([
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
const ANIMATIONS = new Set(['animate', 'animatetransform', 'animatemotion', 'set'])
const ANIMATED = new Set(['to', 'from', 'by', 'values'])

/** Templates in templates, and blocks in blocks: nobody nests them like this but by mistake. */
const MAX_DEPTH_OF_LINKS = 200

/** Where nodes are looked at: as emit.ts places them. */
interface Scope {
  readonly template: Template
  readonly blocks: Blocks
}

/** Every mistake of place in `entries` and what they link to; sets `escape` of the value tags. */
export function checkContexts(entries: readonly Template[], library: Library): Mistakes {
  const walk = new ContextWalk(library)
  for (const template of entries) {
    if (isHtml(template)) walk.template(template, walk.noBlocks, TEXT)
  }
  return walk.mistakes
}

/** The same for a template that a lambda has made, which stands where its tag does. */
export function checkLambdaContexts(
  template: Template,
  library: Library,
  states: readonly HtmlState[] = [TEXT],
): Mistakes {
  const walk = new ContextWalk(library)
  for (const state of states) walk.template(template, walk.noBlocks, state)
  return walk.mistakes
}

/** `mail.txt.mustache` is plain text: nothing in it is escaped. */
export function isHtml({ isText }: Template): boolean {
  return !isText
}

class ContextWalk {
  readonly mistakes = new Mistakes()
  readonly noBlocks = Blocks.none()
  readonly #library: Library
  /** Where a template or block ends that begins somewhere; while it is looked at: where it begins. */
  readonly #ends = new Map<string, HtmlState>()
  readonly #ids = new Map<Template | BlockNode, number>()
  #depth = 0
  readonly #told = new Set<string>()

  constructor(library: Library) {
    this.#library = library
  }

  template(template: Template, blocks: Blocks, from: HtmlState): HtmlState {
    return this.#content(template, { template, blocks }, from)
  }

  /** A template, or what stands in place of a block. */
  #content(owner: Template | BlockNode, scope: Scope, from: HtmlState): HtmlState {
    const id = this.#ids.get(owner) ?? this.#ids.size
    this.#ids.set(owner, id)
    const key = `${id}\n${scope.blocks.key}\n${JSON.stringify(from)}`
    const known = this.#ends.get(key)
    if (known !== undefined) return known
    this.#ends.set(key, from)
    this.#depth += 1
    const end = this.#nodes(owner.nodes, scope, from)
    this.#depth -= 1
    this.#ends.set(key, end)
    return end
  }

  /** True, and told, when partials and blocks would go on inside of each other. */
  #isTooDeep({ template }: Scope, at: number): boolean {
    if (this.#depth < MAX_DEPTH_OF_LINKS) return false
    if (this.mistakes.count === 0) {
      const values = { limit: MAX_DEPTH_OF_LINKS }
      this.mistakes.add(() => errorAt('UWAS_ERR_TEMPLATE_LINKS', template, at, values))
    }
    return true
  }

  #nodes(nodes: readonly Node[], scope: Scope, from: HtmlState): HtmlState {
    return nodes.reduce((state, node) => this.#node(node, scope, state), from)
  }

  #node(node: Node, scope: Scope, state: HtmlState): HtmlState {
    switch (node.kind) {
      case 'line':
        return state
      case 'text':
        return advance(state, node.text)
      case 'value':
        return this.#value(node, scope, state)
      case 'url':
        return this.#url(node, scope, state)
      case 'cached':
        return this.#cached(node, scope, state)
      case 'section':
        return this.#section(node, scope, state)
      case 'block':
        return this.#block(node, scope, state)
      case 'partial':
      case 'parent': {
        if ('dynamic' in node.target) return this.#dynamic(node, scope, state)
        const template = this.#library.find(node.target.fixed)
        if (template === undefined || this.#isTooDeep(scope, node.at)) return state
        const blocks =
          node.kind === 'parent' ? scope.blocks.with(node, scope.template) : scope.blocks
        return this.template(template, blocks, state)
      }
    }
  }

  #value(node: ValueNode, { template }: Scope, state: HtmlState): HtmlState {
    const advice = node.raw ? adviceOnRaw(state) : adviceOn(node, state)
    if (advice !== undefined) {
      this.#tell(template, node.at, { where: advice[0], advice: advice[1] })
      return state
    }
    // A tag that stands in several places gets what is safe in all of them. HTML is for text alone.
    if (!node.raw && node.escape !== 'json' && state.at !== 'text') {
      const isUrl = URL_ATTRIBUTES.has(state.attribute) && state.url === 'nothing'
      if (isUrl) node.escape = 'url'
      else if (node.escape !== 'url') node.escape = 'attribute'
    }
    return behindValue(state)
  }

  /** Any template of the site may be meant, so it has to be right for all of them. */
  #dynamic(node: PartialNode | ParentNode, scope: Scope, state: HtmlState): HtmlState {
    if (this.#isTooDeep(scope, node.at)) return state
    if (state.at !== 'text') {
      const advice = 'write it in text, around whole elements'
      this.#tell(scope.template, node.at, { where: describe(state), advice })
      return state
    }
    const blocks = node.kind === 'parent' ? scope.blocks.with(node, scope.template) : scope.blocks
    for (const name of this.#library.names()) {
      const template = this.#library.find(name)
      if (template !== undefined && isHtml(template)) this.template(template, blocks, state)
    }
    return state
  }

  /** A path of the site: it begins with a slash. */
  #url(node: UrlNode, { template }: Scope, state: HtmlState): HtmlState {
    const isPlace = state.at === 'text' || (isUrlAttribute(state) && state.url !== 'script')
    if (!isPlace) {
      const advice = 'write it in text or in href="…", src="…", action="…"'
      this.#tell(template, node.at, { where: describe(state), advice })
    }
    return state.at === 'text' ? state : { ...state, url: 'decided' }
  }

  /** What is kept is put into pages as it is: it has to be whole, and stand where its values are escaped for. */
  #cached(node: CachedNode, scope: Scope, state: HtmlState): HtmlState {
    const template = this.#library.find(node.template)
    if (template === undefined || this.#isTooDeep(scope, node.at)) return state
    if (state.at !== 'text') {
      const advice = 'write it in text, around whole elements'
      this.#tell(scope.template, node.at, { where: describe(state), advice })
      return state
    }
    const end = this.template(template, this.noBlocks, state)
    if (end.at !== 'text') {
      const where = `so that what follows is read as ${describe(end)}`
      const advice = `let the template ${node.template} end in text`
      this.#tell(scope.template, node.at, { where, advice })
    }
    return state
  }

  #section(node: SectionNode, scope: Scope, from: HtmlState): HtmlState {
    node.states.set(JSON.stringify(from), from)
    const end = this.#nodes(node.nodes, scope, from)
    const joined = join(from, end)
    if (joined !== undefined) return joined
    this.#tell(scope.template, node.at, {
      where: `so that what follows is read as ${describe(end)} or as ${describe(from)}`,
      advice: 'let the section end in the place where it begins',
    })
    return from
  }

  #block(node: BlockNode, scope: Scope, from: HtmlState): HtmlState {
    const override = scope.blocks.get(node.name)
    if (override === undefined) return this.#nodes(node.nodes, scope, from)
    if (this.#isTooDeep(scope, node.at)) return from
    const { block, template, blocks } = override
    return this.#content(block, { template, blocks }, from)
  }

  #tell(template: Template, at: number, values: { where: string; advice: string }): void {
    const key = `${template.file}:${at}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    this.mistakes.add(() => {
      const close = template.source.indexOf('}}', at)
      const tag = template.source.slice(at, close < 0 ? at + 20 : close + 2)
      return errorAt('UWAS_ERR_TEMPLATE_CONTEXT', template, at, { tag, ...values })
    })
  }
}

/** In quotes, in an attribute that no script is made of. */
function isUrlAttribute({ at, attribute }: HtmlState): boolean {
  const isQuoted = at === 'double-quoted' || at === 'single-quoted'
  return isQuoted && !attribute.startsWith('on') && attribute !== 'style' && attribute !== 'srcdoc'
}

/** The state after content that may be there or not; undefined when the two differ in kind. */
function join(from: HtmlState, end: HtmlState): HtmlState | undefined {
  // A whole attribute without a value, or with one, may end here.
  const isInTag = (state: HtmlState) => state.at === 'in-tag' || state.at === 'attribute-name'
  if (isInTag(from) && isInTag(end)) return { ...from, at: 'in-tag', attribute: '' }
  const same: readonly (keyof HtmlState)[] = [
    'at',
    'tag',
    'attribute',
    'isEndTag',
    'foreign',
    'nesting',
  ]
  if (same.some((key) => from[key] !== end[key])) return undefined
  const quote = from.quote === '' ? end.quote : from.quote
  // Of two ways that a URL may have begun, the one that allows less: a whole URL may still come after none.
  const { url, recent } = end.url === 'decided' ? from : end
  return { ...from, quote, url, recent }
}

type Advice = readonly [where: string, advice: string]

/** Why an escaped value cannot stand here; undefined where it can. */
function adviceOn(node: ValueNode, state: HtmlState): Advice | undefined {
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
  const { tag, attribute, url } = state
  if (attribute.startsWith('on')) {
    return [
      `in ${attribute}, which is a script`,
      `write data-…="{{${text}}}" and read it in a file`,
    ]
  }
  if (attribute === 'style') return ['in a style attribute', 'write a class or a data attribute']
  if (attribute === 'srcdoc') return ['in srcdoc, which is a whole page', 'give the page a URL']
  if (attribute === 'http-equiv') return ['in http-equiv', 'write the field itself in the view']
  const isRefresh = tag === 'meta refresh' || (tag === 'meta' && /^[\d.]/.test(state.recent))
  if (isRefresh && attribute === 'content') {
    return ['in the URL of a refresh', 'redirect in the view']
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
function adviceOnRaw(state: HtmlState): Advice | undefined {
  if (state.at === 'text' || state.at === 'raw' || state.at === 'comment') return undefined
  return [`${describe(state)}, and is not escaped`, 'write {{…}} in quotes']
}

function describe({ at, tag, attribute }: HtmlState): string {
  switch (at) {
    case 'text':
      return 'in text'
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
