/**
 * Follows a template's tags through the data of one rendering and notes the names that nothing has.
 * Partials, parents and blocks are followed as the compiler of templates links them.
 */
import type {
  BlockNode,
  CachedNode,
  Name,
  Node,
  ParentNode,
  PartialNode,
  Template,
} from '../../template/ast.ts'
import type { Value, Values } from './values.ts'

/** A tag whose name is looked up. */
export interface Tag {
  readonly template: Template
  readonly at: number
  readonly name: string
  /** A value has to be there; a section may be about something that only some views have. */
  readonly kind: 'value' | 'section'
}

/** What became of a tag's name in one rendering; `near` lists the names that were there instead. */
export type Note = (tag: Tag, isKnown: boolean, near: () => string[]) => void

interface Place {
  readonly template: Template
  /** The outermost first. */
  readonly contexts: readonly Value[]
  readonly blocks: ReadonlyMap<string, Replacement>
  /** Templates on the way here: one that calls itself is looked at once. */
  readonly trail: readonly Template[]
}

interface Replacement {
  readonly block: BlockNode
  readonly place: Omit<Place, 'contexts' | 'trail'>
}

export class TagWalk {
  readonly #values: Values
  readonly #find: (name: string) => Template | undefined
  readonly #helpers: ReadonlySet<string>
  readonly #note: Note
  /** Templates that were looked at, by their contexts and blocks: partials may name each other twice, and twice again. */
  readonly #seen = new WeakMap<object, WeakMap<object, Set<Template>>>()

  /** `helpers` are names that every template has behind its data. */
  constructor(
    values: Values,
    find: (name: string) => Template | undefined,
    helpers: ReadonlySet<string>,
    note: Note,
  ) {
    this.#values = values
    this.#find = find
    this.#helpers = helpers
    this.#note = note
  }

  walk(template: Template, contexts: readonly Value[]): void {
    this.#nodes(template.nodes, { template, contexts, blocks: new Map(), trail: [template] })
  }

  #nodes(nodes: readonly Node[], place: Place): void {
    for (const node of nodes) {
      switch (node.kind) {
        case 'value':
          this.#look(node.name, node.at, 'value', place)
          break
        case 'url':
          for (const { name } of node.params) this.#look(name, node.at, 'value', place)
          break
        case 'cached':
          this.#cached(node, place)
          break
        case 'section': {
          const value = this.#look(node.name, node.at, 'section', place)
          this.#section(node, value, place)
          break
        }
        case 'partial':
        case 'parent':
          this.#partial(node, place)
          break
        case 'block':
          this.#block(node, place)
          break
        case 'line':
        case 'text':
          break
        default:
          node satisfies never
      }
    }
  }

  #section(node: Extract<Node, { kind: 'section' }>, value: Value | undefined, place: Place): void {
    if (node.inverted) return this.#nodes(node.nodes, place)
    if (value === undefined || this.#values.isLambda(value)) return
    const items = this.#values.items(value)
    if (items !== 'any' && items.length === 0) return
    this.#nodes(node.nodes, { ...place, contexts: [...place.contexts, items] })
  }

  #partial(node: PartialNode | ParentNode, place: Place): void {
    if ('dynamic' in node.target) {
      this.#look(node.target.dynamic, node.at, 'value', place)
      return
    }
    const template = this.#find(node.target.fixed)
    if (template === undefined || place.trail.includes(template)) return
    const blocks = node.kind === 'parent' ? withBlocks(node.blocks, place) : place.blocks
    if (this.#isSeen(template, place.contexts, blocks)) return
    const trail = [...place.trail, template]
    this.#nodes(template.nodes, { template, contexts: place.contexts, blocks, trail })
  }

  #isSeen(template: Template, contexts: Place['contexts'], blocks: Place['blocks']): boolean {
    const byBlocks = this.#seen.get(contexts) ?? new WeakMap<object, Set<Template>>()
    this.#seen.set(contexts, byBlocks)
    const templates = byBlocks.get(blocks) ?? new Set()
    byBlocks.set(blocks, templates)
    const isSeen = templates.has(template)
    templates.add(template)
    return isSeen
  }

  #cached(node: CachedNode, place: Place): void {
    const inTags = node.tags.flat().filter((part) => typeof part !== 'string')
    for (const name of [...node.vary, ...inTags]) this.#look(name, node.at, 'value', place)
    const template = this.#find(node.template)
    if (template === undefined || place.trail.includes(template)) return
    const trail = [...place.trail, template]
    this.#nodes(template.nodes, { ...place, template, blocks: new Map(), trail })
  }

  #block(node: BlockNode, place: Place): void {
    const replacement = place.blocks.get(node.name)
    if (replacement === undefined) this.#nodes(node.nodes, place)
    else this.#nodes(replacement.block.nodes, { ...place, ...replacement.place })
  }

  /** The name's value; undefined when it is unknown, which is noted. */
  #look(name: Name, at: number, kind: Tag['kind'], place: Place): Value | undefined {
    const tag: Tag = { template: place.template, at, name: name.text, kind }
    const innermost = place.contexts.at(-1) ?? 'any'
    let value = name.head === null ? innermost : this.#findOutward(name.head, place.contexts)
    if (value === undefined) {
      this.#note(tag, false, () => place.contexts.flatMap((one) => this.#values.names(one)))
      return undefined
    }
    for (const part of name.tail) {
      const owner: Value = value
      value = this.#values.property(owner, part)
      if (value === undefined) {
        this.#note(tag, false, () => this.#values.names(owner))
        return undefined
      }
    }
    this.#note(tag, true, () => [])
    return value
  }

  #findOutward(head: string, contexts: readonly Value[]): Value | undefined {
    for (let i = contexts.length - 1; i >= 0; i--) {
      const found = this.#values.property(contexts[i] as Value, head)
      if (found !== undefined) return found
    }
    return this.#helpers.has(head) ? 'any' : undefined
  }
}

/** The outermost parent tag that names a block wins (~inheritance). */
function withBlocks(blocks: readonly BlockNode[], place: Place): ReadonlyMap<string, Replacement> {
  const { template, blocks: outer } = place
  const own = blocks.map(
    (block) => [block.name, { block, place: { template, blocks: outer } }] as const,
  )
  return new Map([...own, ...outer])
}
