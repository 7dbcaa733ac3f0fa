/**
 * Templates → the source text of one JavaScript function body that returns their render functions.
 * Pure text, so that it can be run at once (`program.ts`) or written to a file by a build.
 */
import type { BlockNode, Template } from './ast.ts'
import { Blocks } from './blocks.ts'
import { emitNodes } from './emit.ts'
import type { Content, Units } from './emit-scope.ts'
import { MAX_DEPTH } from './runtime.ts'
import { type Mark, quote, Writer } from './writer.ts'

export interface Generated {
  /** Takes `$` (`Runtime`); returns an object: template name → `RenderUnit`. */
  readonly code: string
  /** For each line of `code`, the tag it stands for. */
  readonly marks: readonly (Mark | undefined)[]
}

/** Where partials come from. */
export interface Library {
  find(name: string): Template | undefined
  /** Every name, for dynamic names. */
  names(): Iterable<string>
}

/** A function with more nodes than this of its partials in place calls the others. */
const MAX_NODES_IN_PLACE = 2000

interface Unit {
  readonly id: string
  readonly content: Content
  readonly indented: boolean
}

interface Table {
  readonly id: string
  readonly rows: string[]
}

export function generate(
  entries: readonly Template[],
  library: Library,
  isStrict = false,
): Generated {
  return new Generator(library, isStrict).run(entries)
}

class Generator {
  readonly #library: Library
  readonly #isStrict: boolean
  readonly #noBlocks = Blocks.none()
  readonly #units = new Map<string, Unit>()
  readonly #ids = new Map<Template | BlockNode, number>()
  readonly #tables = new Map<string, Table>()
  readonly #texts = new Map<Template, string>()
  readonly #constants = new Map<string, string>()
  readonly #lines: string[] = ["'use strict'", 'const { P, esc, has } = $']
  readonly #marks: (Mark | undefined)[] = [undefined, undefined]

  constructor(library: Library, isStrict: boolean) {
    this.#library = library
    this.#isStrict = isStrict
  }

  run(entries: readonly Template[]): Generated {
    const rows = entries.map((template) =>
      this.#row(template.name, template, this.#noBlocks, false),
    )
    // The map grows while it is walked: a unit's code asks for further units.
    for (const unit of this.#units.values()) this.#writeUnit(unit)
    for (const { id, rows } of this.#tables.values()) {
      this.#line(`const ${id} = { __proto__: null, ${rows.join(', ')} }`)
    }
    for (const [template, id] of this.#texts) this.#line(`const ${id} = ${quote(template.source)}`)
    for (const [code, id] of this.#constants) this.#line(`const ${id} = ${code}`)
    this.#line(`return { __proto__: null, ${rows.join(', ')} }`)
    return { code: this.#lines.join('\n'), marks: this.#marks }
  }

  #writeUnit(unit: Unit): void {
    const writer = new Writer()
    let inPlace = 0
    const units: Units = {
      isStrict: this.#isStrict,
      find: (name) => this.#library.find(name),
      noBlocks: this.#noBlocks,
      unit: (content, indented) => this.#unit(content, indented).id,
      table: (blocks, indented) => this.#table(blocks, indented),
      constant: (code) => this.#constant(code),
      text: (template, from, to) => `${this.#text(template)}.slice(${from}, ${to})`,
      hasRoom: (nodes) => {
        const isRoom = inPlace + nodes + 1 < MAX_NODES_IN_PLACE
        if (isRoom) inPlace += nodes + 1
        return isRoom
      },
    }
    const { owner, template, blocks, nodes } = unit.content
    this.#line(`function ${unit.id}(c0, s, i, k) {`)
    this.#line(`if (k > ${MAX_DEPTH}) $.deep(${quote(template.name)})`, { template, at: 0 })
    writer.begin(0)
    emitNodes(writer, units, nodes, {
      template,
      depth: 0,
      level: 0,
      usesArgument: unit.indented,
      indent: '',
      blocks,
      trail: [{ owner, blocks }],
    })
    writer.end()
    writer.lines.forEach((line, i) => {
      this.#line(line, writer.marks[i])
    })
    this.#line('}')
  }

  #unit(content: Content, indented: boolean): Unit {
    const key = `${content.blocks.key} ${indented} ${this.#idOf(content.owner)}`
    const known = this.#units.get(key)
    if (known !== undefined) return known
    const unit = { id: `u${this.#units.size}`, content, indented }
    this.#units.set(key, unit)
    return unit
  }

  #idOf(owner: Content['owner']): number {
    const id = this.#ids.get(owner) ?? this.#ids.size
    this.#ids.set(owner, id)
    return id
  }

  #table(blocks: Blocks, indented: boolean): string {
    const key = `${blocks.key} ${indented}`
    const known = this.#tables.get(key)
    if (known !== undefined) return known.id
    const table: Table = { id: `d${this.#tables.size}`, rows: [] }
    this.#tables.set(key, table)
    for (const name of this.#library.names()) {
      const template = this.#library.find(name)
      if (template !== undefined) table.rows.push(this.#row(name, template, blocks, indented))
    }
    return table.id
  }

  #row(name: string, template: Template, blocks: Blocks, indented: boolean): string {
    const content = { nodes: template.nodes, owner: template, template, blocks }
    return `[${quote(name)}]: ${this.#unit(content, indented).id}`
  }

  #text(template: Template): string {
    const known = this.#texts.get(template)
    if (known !== undefined) return known
    const id = `t${this.#texts.size}`
    this.#texts.set(template, id)
    return id
  }

  #constant(code: string): string {
    const id = this.#constants.get(code) ?? `h${this.#constants.size}`
    this.#constants.set(code, id)
    return id
  }

  #line(code: string, mark?: Mark): void {
    this.#lines.push(code)
    this.#marks.push(mark)
  }
}
