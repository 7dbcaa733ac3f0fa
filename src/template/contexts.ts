/**
 * Follows the templates of a site through the HTML that they make, and decides for every tag how its value
 * is escaped there. What no escaping makes safe is an error that says what to write instead. Called by
 * `templates.ts` after the links are known to lead somewhere.
 */
import type {
  BlockNode,
  CachedNode,
  Node,
  SectionNode,
  Template,
  UrlNode,
  ValueNode,
} from './ast.ts'
import { Blocks } from './blocks.ts'
import { Mistakes } from './errors.ts'
import type { Library } from './generate.ts'
import { advance, type HtmlState, TEXT } from './html-state.ts'
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

/** `mail.txt.mustache` is plain text: nothing in it is escaped. */
export function isHtml({ name }: Template): boolean {
  return !name.endsWith('.txt')
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
        if ('dynamic' in node.target) return state
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
    if (node.raw || node.escape === 'json') return state
    const isQuoted = state.at === 'double-quoted' || state.at === 'single-quoted'
    if (!isQuoted) return state
    // A tag that stands in several places gets what is safe in all of them.
    const isUrl = URL_ATTRIBUTES.has(state.attribute) && state.url === 'nothing'
    if (isUrl) node.escape = 'url'
    else if (node.escape !== 'url') node.escape = 'attribute'
    return state.url === 'nothing' ? { ...state, url: 'value' } : state
  }

  /** A path of the site: it begins with a slash. */
  #url(node: UrlNode, { template }: Scope, state: HtmlState): HtmlState {
    const isPlace = state.at === 'text' || isUrlAttribute(state)
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
  const { url: _, ...before } = from
  const { url: __, ...after } = end
  if (JSON.stringify(before) !== JSON.stringify(after)) return undefined
  if (from.url === end.url) return from
  if (from.url === 'decided') return from
  // Perhaps nothing stands there yet: what comes next is looked at as a whole URL.
  return end.url === 'decided' ? from : end
}

type Advice = readonly [where: string, advice: string]

/** Why an escaped value cannot stand here; undefined where it can. */
function adviceOn(node: ValueNode, state: HtmlState): Advice | undefined {
  const { text } = node.name
  if (node.escape === 'json') {
    return state.at === 'raw' && state.tag === 'script'
      ? undefined
      : [describe(state), `{{#json}} is for <script>; here write {{${text}}}`]
  }
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

function adviceOnAttribute(text: string, { attribute, url }: HtmlState): Advice | undefined {
  if (attribute.startsWith('on')) {
    return [
      `in ${attribute}, which is a script`,
      `write data-…="{{${text}}}" and read it in a file`,
    ]
  }
  if (attribute === 'style') return ['in a style attribute', 'write a class or a data attribute']
  if (attribute === 'srcdoc') return ['in srcdoc, which is a whole page', 'give the page a URL']
  if (!URL_ATTRIBUTES.has(attribute) || url === 'nothing' || url === 'decided') return undefined
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
      return 'in a declaration'
    default:
      return `among the attributes of <${tag}>`
  }
}
