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
import {
  adviceOn,
  adviceOnRaw,
  describe,
  IN_REFRESH,
  isUrlAttribute,
  URL_ATTRIBUTES,
} from './context-advice.ts'
import { Mistakes } from './errors.ts'
import type { Library } from './generate.ts'
import { endFrom, essenceOf } from './html-essence.ts'
import { advance, behindValue, type HtmlState, TEXT } from './html-state.ts'
import { errorAt } from './place.ts'

/** Templates in templates, and blocks in blocks: nobody nests them like this but by mistake. */
const MAX_DEPTH_OF_LINKS = 200

/** Where nodes are looked at: as emit.ts places them. */
interface Scope {
  readonly template: Template
  readonly blocks: Blocks
}

/** A template or block that begins somewhere, and where it ends; undefined while it is looked at. */
interface Visit {
  readonly from: HtmlState
  end: HtmlState | undefined
}

/** A tag by which content stands in itself, read as if that ended where it begins. */
interface Repeat {
  readonly template: Template
  readonly node: PartialNode | ParentNode | BlockNode
  readonly visit: Visit
}

/** What a dynamic name may choose. */
interface Choice {
  readonly node: PartialNode | ParentNode
  readonly name: string
  readonly visit: Visit
}

/** Every mistake of place in `entries` and what they link to; sets `escape` of the value tags. */
export function checkContexts(entries: readonly Template[], library: Library): Mistakes {
  const walk = new ContextWalk(library)
  for (const template of entries) {
    if (isHtml(template)) walk.template(template, walk.noBlocks, TEXT)
  }
  walk.finish()
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
  walk.finish()
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
  readonly #visits = new Map<string, Visit>()
  readonly #repeats: Repeat[] = []
  readonly #choices: Choice[] = []
  /** Values in `content` of a meta tag, by their places. */
  readonly #contents = new Map<string, { readonly template: Template; readonly at: number }>()
  readonly #ids = new Map<Template | BlockNode, number>()
  #depth = 0
  readonly #told = new Set<string>()

  constructor(library: Library) {
    this.#library = library
  }

  template(template: Template, blocks: Blocks, from: HtmlState): HtmlState {
    return endOf(this.#visit(template, { template, blocks }, from), from)
  }

  /** Judges what was not known before all ends were. */
  finish(): void {
    for (const { template, node, visit } of this.#repeats) {
      const end = visit.end ?? visit.from
      if (goesOn(visit.from, end)) continue
      this.#tellEnd(template, node.at, visit.from, end, 'what stands in itself')
    }
    for (const { node, name, visit } of this.#choices) {
      const end = visit.end ?? visit.from
      if (isWhole(visit.from, end)) continue
      node.unfit.set(
        name,
        `ends ${describe(end)}: let it end in text, or name it itself where it belongs`,
      )
    }
  }

  /** A template, or what stands in place of a block. */
  #visit(owner: Template | BlockNode, scope: Scope, from: HtmlState): Visit {
    const id = this.#ids.get(owner) ?? this.#ids.size
    this.#ids.set(owner, id)
    const key = `${id}\n${scope.blocks.key}\n${JSON.stringify(essenceOf(from))}`
    const known = this.#visits.get(key)
    if (known !== undefined) return known
    const visit: Visit = { from, end: undefined }
    this.#visits.set(key, visit)
    this.#depth += 1
    visit.end = this.#nodes(owner.nodes, scope, from)
    this.#depth -= 1
    return visit
  }

  /** Where content ends that `node` puts where it stands. */
  #content(
    node: Repeat['node'],
    { template }: Scope,
    owner: Template | BlockNode,
    inner: Scope,
    from: HtmlState,
  ): HtmlState {
    const visit = this.#visit(owner, inner, from)
    if (visit.end === undefined) this.#repeats.push({ template, node, visit })
    return endOf(visit, from)
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
        return advance(state, node.text, (content) => this.#tellRefresh(content))
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
        if (!isHtml(template)) this.#tellText(node, scope.template, template.name)
        const blocks =
          node.kind === 'parent' ? scope.blocks.with(node, scope.template) : scope.blocks
        return this.#content(node, scope, template, { template, blocks }, state)
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
    const behind = behindValue(state)
    if (state.tag !== 'meta' || state.attribute !== 'content') return behind
    const content = `${template.name}:${node.at}`
    this.#contents.set(content, { template, at: node.at })
    return { ...behind, content }
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
      if (template === undefined) continue
      if (isHtml(template)) {
        const visit = this.#visit(template, { template, blocks }, state)
        this.#choices.push({ node, name, visit })
      } else node.unfit.set(name, 'is plain text, whose values are not escaped: name an HTML one')
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
    if (!isHtml(template)) this.#tellText(node, scope.template, template.name)
    const end = this.template(template, this.noBlocks, state)
    if (!isWhole(state, end)) {
      const where = `so that what follows is read as ${describe(end)}`
      const advice = `let the template ${node.template} end in text`
      this.#tell(scope.template, node.at, { where, advice })
    }
    return state
  }

  #section(node: SectionNode, scope: Scope, from: HtmlState): HtmlState {
    node.states.set(JSON.stringify(essenceOf(from)), from)
    const end = this.#nodes(node.nodes, scope, from)
    const joined = join(from, end)
    if (joined === undefined) {
      this.#tellEnd(scope.template, node.at, from, end, 'the section')
      return from
    }
    // The next item of a list begins where the last one has ended.
    if (!node.inverted && !goesOn(from, joined)) this.#nodes(node.nodes, scope, joined)
    return joined
  }

  #block(node: BlockNode, scope: Scope, from: HtmlState): HtmlState {
    const override = scope.blocks.get(node.name)
    if (override === undefined) return this.#nodes(node.nodes, scope, from)
    if (this.#isTooDeep(scope, node.at)) return from
    const { block, template, blocks } = override
    return this.#content(node, scope, block, { template, blocks }, from)
  }

  #tellEnd(template: Template, at: number, from: HtmlState, end: HtmlState, what: string): void {
    this.#tell(template, at, {
      where: `so that what follows is read as ${describe(end)} or as ${describe(from)}`,
      advice: `let ${what} end in the place where it begins`,
    })
  }

  #tellText({ at }: PartialNode | ParentNode | CachedNode, template: Template, name: string): void {
    const where = `in HTML, and the values of ${name}, which is plain text, are not escaped`
    this.#tell(template, at, { where, advice: 'name an HTML template' })
  }

  #tellRefresh(content: string): void {
    const place = this.#contents.get(content)
    const [where, advice] = IN_REFRESH
    if (place !== undefined) this.#tell(place.template, place.at, { where, advice })
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

/** Content that is being looked at is taken to end where it begins; `Repeat` says where. */
function endOf({ from: like, end }: Visit, from: HtmlState): HtmlState {
  return end === undefined ? from : endFrom(from, like, end)
}

/** Whether what stands between two places of the same text leaves nothing open. */
function isWhole(from: HtmlState, end: HtmlState): boolean {
  return end.at === 'text' && end.foreign === from.foreign
}

/** Whether what was found of content that begins at `from` is true as well where it has just ended. */
function goesOn(from: HtmlState, end: HtmlState): boolean {
  if (join(from, end) === undefined || from.quote !== end.quote) return false
  // Values are looked at one by one when they are rendered; a colon behind one leaves nothing to look at.
  return from.url === end.url || end.url !== 'script'
}

/** The state after content that may be there or not; undefined when the two differ in kind. */
function join(from: HtmlState, end: HtmlState): HtmlState | undefined {
  const refresh = from.refresh || end.refresh
  const content = from.content || end.content
  const isSame = (...keys: readonly (keyof HtmlState)[]) =>
    keys.every((key) => from[key] === end[key])
  if (!isSame('tag', 'isEndTag', 'foreign', 'nesting')) return undefined
  const isSlashRead = from.foreign > 0 || from.tag === 'svg' || from.tag === 'math'
  if (isSlashRead && !isSame('isClosed')) return undefined
  // A whole attribute without a value, or with one, may end here.
  const isInTag = (state: HtmlState) => state.at === 'in-tag' || state.at === 'attribute-name'
  if (isInTag(from) && isInTag(end)) {
    return { ...from, at: 'in-tag', attribute: '', refresh, content }
  }
  if (!isSame('at', 'attribute')) return undefined
  const quote = from.quote === '' ? end.quote : from.quote
  // Of two ways that a URL may have begun, the one that allows less: a whole URL may still come after none.
  const { url, recent } = end.url === 'decided' ? from : end
  return { ...from, quote, url, recent, refresh, content }
}
