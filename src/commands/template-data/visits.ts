/**
 * Keeps the walk of `tags.ts` in proportion to the templates: contexts and sets of blocks that are equal are one
 * object, and what was looked at with both is not looked at again.
 */
import type { BlockNode, ParentNode, Template } from '../../template/ast.ts'
import type { Value } from './values.ts'

/** The contexts of a tag, the outermost first. */
export type Contexts = readonly Value[]

/** What stands in place of blocks, by their names. */
export type Blocks = ReadonlyMap<string, Replacement>

export interface Replacement {
  readonly block: BlockNode
  readonly place: { readonly template: Template; readonly blocks: Blocks }
}

/** A template is looked at with so many different data of one view: sections around partials can make ever more. */
const MAX_VISITS = 200

export class Visits {
  readonly none: Blocks = new Map()
  readonly #types = new Map<unknown, number>()
  readonly #contexts = new Map<string, Contexts>()
  readonly #blocks = new Map<Blocks, Map<ParentNode, Blocks>>()
  readonly #begun = new Map<Template | BlockNode, Map<Blocks, Set<Contexts>>>()

  /** The contexts, and one object for all that give the same: of two that are equal the inner one is enough. */
  contexts(values: readonly Value[]): Contexts {
    const keys = values.map((value) => this.#keyOf(value))
    const own = values.filter((_, i) => !keys.includes(keys[i] as string, i + 1))
    const key = keys.filter((one, i) => !keys.includes(one, i + 1)).join(' ')
    const known = this.#contexts.get(key) ?? own
    this.#contexts.set(key, known)
    return known
  }

  /** Replacements where a parent tag stands: the outermost that names a block wins (~inheritance). */
  blocks(parent: ParentNode, template: Template, outer: Blocks): Blocks {
    const known = this.#blocks.get(outer)?.get(parent)
    if (known !== undefined) return known
    const place = { template, blocks: outer }
    const added = parent.blocks.filter(({ name }) => !outer.has(name))
    const made =
      added.length === 0
        ? outer
        : new Map([...outer, ...added.map((block) => [block.name, { block, place }] as const)])
    const ofOuter = this.#blocks.get(outer) ?? new Map<ParentNode, Blocks>()
    this.#blocks.set(outer, ofOuter.set(parent, made))
    return made
  }

  /** False where it has been looked at with these, or often enough. */
  begin(owner: Template | BlockNode, contexts: Contexts, blocks: Blocks): boolean {
    const ofOwner = this.#begun.get(owner) ?? new Map<Blocks, Set<Contexts>>()
    this.#begun.set(owner, ofOwner)
    const seen = ofOwner.get(blocks) ?? new Set()
    ofOwner.set(blocks, seen)
    if (seen.has(contexts) || seen.size >= MAX_VISITS) return false
    seen.add(contexts)
    return true
  }

  #keyOf(value: Value): string {
    if (value === 'any') return value
    return value.map(({ type, open }) => `${this.#idOf(type)}${open ? '+' : ''}`).join('|')
  }

  #idOf(type: unknown): number {
    const id = this.#types.get(type) ?? this.#types.size
    this.#types.set(type, id)
    return id
  }
}
