/**
 * What templates ask of whoever keeps fragments (`{{#cached}}`), and how they name one. The keeper comes from `was/`
 * with each rendering; without one every fragment is rendered.
 */
import type { Stack } from './lookup.ts'
import { RenderProblem, type RenderUnit } from './render-problem.ts'

/** A fragment of a page, by what it is made of. */
export interface Fragment {
  /** The template. */
  readonly name: string
  /** Differs with the templates of the site, the fragment's template, its tag's place, and each of its values. */
  readonly key: string
  /** What invalidates it. */
  readonly tags: readonly string[]
  /** How long it is used; null: until it is invalidated. */
  readonly seconds: number | null
}

export interface Fragments {
  /** The text that was kept, or what `make` gives, which is kept. `make` may ask for others. */
  remember(fragment: Fragment, make: () => string): string
}

/** What the generated code has of one tag. */
export interface FragmentParts {
  readonly vary: readonly string[]
  readonly tags: readonly string[]
}

/** The part of a runtime that is for fragments. */
export class FragmentRuntime {
  /** For as long as one page is rendered. */
  keeper: Fragments | undefined
  readonly #program: number

  /** `program` is a number that no other program of this process has. */
  constructor(program: number) {
    this.#program = program
  }

  cached(
    name: string,
    place: string,
    unit: RenderUnit,
    context: unknown,
    outer: Stack | null,
    depth: number,
    parts: FragmentParts,
    seconds: number | null,
  ): string {
    const make = () => unit(context, outer, '', depth)
    if (this.keeper === undefined) return make()
    const key = `${this.#program} ${name} ${place} ${parts.vary.join(' ')}`
    return this.keeper.remember({ name, key, tags: parts.tags, seconds }, make)
  }
}

/** A value of `vary`, by its name: tags that vary with other names keep other fragments of the same template. */
export function varyText(name: string, value: unknown): string {
  return `${name}=${valueText(name, value)}`
}

/** No two values that differ have the same text. */
function valueText(name: string, value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === undefined || value === null) return '-'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Date) return `@${value.getTime()}`
  const problem = `varies with "${name}", which is no text, number or truth value; name what tells one from others, like ${name}.id`
  throw new RenderProblem('CACHED', { problem })
}

/** A value in a tag. */
export function tagText(name: string, value: unknown): string {
  const isText = typeof value === 'string' && value !== ''
  if (isText || typeof value === 'number' || typeof value === 'bigint') return String(value)
  throw new RenderProblem('CACHED', {
    problem: `has a tag with "${name}", which is no text and no number`,
  })
}
