/**
 * Nodes → statements of a generated function. Partials and blocks are written in place where that
 * ends; what calls itself becomes a function of its own (`Units.call`). Called by `generate.ts`.
 */
import type {
  BlockNode,
  Node,
  ParentNode,
  PartialNode,
  SectionNode,
  Target,
  Template,
  UrlNode,
  ValueNode,
} from './ast.ts'
import type { Blocks } from './blocks.ts'
import { emitLookup, ownerCodeOf, stackCode } from './emit-lookup.ts'
import { quote, type Writer } from './writer.ts'

export interface Step {
  readonly template: Template
  readonly blocks: Blocks
}

/** Where in the output the nodes being written stand. */
export interface Scope {
  readonly template: Template
  /** Number of the innermost context's local variable. */
  readonly depth: number
  /** Put at the start of every line: the function's own argument `i`, then this text. */
  readonly usesArgument: boolean
  readonly indent: string
  readonly blocks: Blocks
  /** What is being written in place, outermost first: guards against endless writing. */
  readonly trail: readonly Step[]
}

/** What the writer of one function needs from the whole program. */
export interface Units {
  find(name: string): Template | undefined
  /** Code of the function for a template with these blocks. */
  unit(template: Template, blocks: Blocks, indented: boolean): string
  /** Code of a table of all templates' functions, for dynamic names. */
  table(blocks: Blocks, indented: boolean): string
  /** Code of the template's text from `from` to `to`. */
  text(template: Template, from: number, to: number): string
  /** Whether a value's name that nothing has is an error. */
  readonly isStrict: boolean
  /** Counts nodes written in place; false when the function is long enough to call partials instead. */
  hasRoom(nodes: number): boolean
}

/** Beyond these a partial is called: JavaScript's own nesting stays far from its limit. */
const MAX_LOCAL_CONTEXTS = 24
const MAX_IN_PLACE = 12

export function emitNodes(
  writer: Writer,
  units: Units,
  nodes: readonly Node[],
  scope: Scope,
): void {
  nodes.forEach((node, i) => {
    switch (node.kind) {
      case 'line':
        emitLineStart(writer, scope, nodes[i + 1])
        break
      case 'text':
        writer.literal(node.text)
        break
      case 'value':
        emitValue(writer, units, node, scope)
        break
      case 'url':
        emitUrl(writer, node, scope)
        break
      case 'section':
        emitSection(writer, units, node, scope)
        break
      case 'partial':
      case 'parent':
        emitPartial(writer, units, node, scope)
        break
      case 'block':
        emitBlock(writer, units, node, scope)
        break
      default:
        node satisfies never
    }
  })
}

/** Empty lines stay empty. */
function emitLineStart(writer: Writer, scope: Scope, next: Node | undefined): void {
  if (next?.kind === 'text' && /^\r?\n/.test(next.text)) return
  if (scope.usesArgument) writer.output('i')
  writer.literal(scope.indent)
}

function emitValue(writer: Writer, units: Units, node: ValueNode, scope: Scope): void {
  writer.mark(scope.template, node.at)
  emitLookup(writer, node.name, scope.depth)
  if (units.isStrict && node.name.text !== '.') {
    const { head, tail, text } = node.name
    const last = tail.length > 0 ? `o, ${quote(tail.at(-1) as string)}` : 'undefined, null'
    const found = `${stackCode(scope.depth)}, ${quote(head ?? '')}`
    writer.statement(`if (v === undefined) $.unknown(${found}, ${last}, ${quote(text)})`)
  }
  const owner = ownerCodeOf(node.name, scope.depth)
  const lambda = `$.lam(v, ${owner}, ${stackCode(scope.depth)}, k)`
  if (node.escape === 'json') {
    writer.output(`$.json(typeof v === 'function' ? $.call(v, ${owner}) : v)`)
    return
  }
  const [text, lambdaText, other] = node.raw ? ['v', lambda, '$.str(v)'] : escaping(node, lambda)
  writer.output(
    `typeof v === 'string' ? ${text} : typeof v === 'number' ? v : ` +
      `typeof v === 'function' ? ${lambdaText} : ${other}`,
  )
}

function emitUrl(writer: Writer, node: UrlNode, scope: Scope): void {
  writer.mark(scope.template, node.at)
  const n = writer.unique()
  writer.statement(`const p${n} = {}`)
  for (const { key, name } of node.params) {
    emitLookup(writer, name, scope.depth)
    const owner = ownerCodeOf(name, scope.depth)
    writer.statement(`p${n}[${quote(key)}] = typeof v === 'function' ? $.call(v, ${owner}) : v`)
  }
  writer.output(`esc($.route(${quote(node.route)}, p${n}))`)
}

/** Code for a string, for what a lambda gives, and for any other value. */
function escaping(node: ValueNode, lambda: string): [string, string, string] {
  const { escape: how } = node
  if (how === 'url') return ['esc($.url(v))', `esc($.url(${lambda}))`, 'esc($.url($.str(v)))']
  return ['esc(v)', `esc(${lambda})`, how === 'text' ? '$.show(v)' : 'esc($.str(v))']
}

function emitSection(writer: Writer, units: Units, node: SectionNode, scope: Scope): void {
  writer.mark(scope.template, node.at)
  emitLookup(writer, node.name, scope.depth)
  const owner = ownerCodeOf(node.name, scope.depth)
  if (node.inverted) {
    // A lambda counts as true without being called.
    writer.statement(`if (typeof v === 'function') v = v.length > 0 || $.call(v, ${owner})`)
    writer.statement('if (!v || (Array.isArray(v) && v.length === 0)) {')
    emitNodes(writer, units, node.nodes, scope)
    writer.statement('}')
    return
  }
  const stack = stackCode(scope.depth)
  const { open, close } = node.delimiters
  const text = units.text(scope.template, node.from, node.to)
  const rest = `${stack}, k, ${text}, { open: ${quote(open)}, close: ${quote(close)} })`
  const n = writer.unique()
  const item = `c${scope.depth + 1}`
  writer.statement(
    `if (typeof v === 'function') { if (v.length > 0) { out += $.lamText(v, ${owner}, ${rest}; v = false } else v = $.call(v, ${owner}) }`,
  )
  writer.statement(
    `const a${n} = v, l${n} = Array.isArray(v), n${n} = l${n} ? v.length : v ? $.one(v) : 0`,
  )
  writer.statement(`for (let j${n} = 0; j${n} < n${n}; j${n}++) {`)
  writer.statement(`let ${item} = l${n} ? a${n}[j${n}] : a${n}`)
  writer.statement(
    `if (typeof ${item} === 'function') { if (${item}.length > 0) { out += $.lamText(${item}, undefined, ${rest}; continue } ${item} = $.call(${item}) }`,
  )
  emitNodes(writer, units, node.nodes, { ...scope, depth: scope.depth + 1 })
  writer.statement('}')
}

function emitPartial(
  writer: Writer,
  units: Units,
  node: PartialNode | ParentNode,
  scope: Scope,
): void {
  writer.mark(scope.template, node.at)
  const blocks =
    node.kind === 'parent' ? scope.blocks.with(node.blocks, scope.template) : scope.blocks
  // Within a line the partial's own lines are not indented, as the specification says.
  const inner: Scope =
    node.indent === null
      ? { ...scope, blocks, usesArgument: false, indent: '' }
      : { ...scope, blocks, indent: scope.indent + node.indent }
  if ('dynamic' in node.target) {
    emitDynamic(writer, units, node.target, inner)
    return
  }
  const template = units.find(node.target.fixed)
  if (template === undefined) return
  const isTooDeep = scope.depth >= MAX_LOCAL_CONTEXTS || scope.trail.length > MAX_IN_PLACE
  const repeats = scope.trail.some((step) => step.template === template && step.blocks === blocks)
  if (!repeats && !isTooDeep && units.hasRoom(template.nodes.length)) {
    const trail = [...scope.trail, { template, blocks }]
    emitNodes(writer, units, template.nodes, { ...inner, template, trail })
    return
  }
  const unit = units.unit(template, blocks, isIndented(inner))
  writer.output(`${unit}(${callArguments(inner)})`)
}

function emitDynamic(
  writer: Writer,
  units: Units,
  { dynamic }: Extract<Target, { dynamic: unknown }>,
  scope: Scope,
): void {
  emitLookup(writer, dynamic, scope.depth)
  const table = units.table(scope.blocks, isIndented(scope))
  writer.statement(
    `if (typeof v === 'function') v = $.call(v, ${ownerCodeOf(dynamic, scope.depth)})`,
  )
  writer.statement(`f = $.pick(${table}, v)`)
  writer.statement(`if (f !== null) out += f(${callArguments(scope)})`)
}

function isIndented(scope: Scope): boolean {
  return scope.usesArgument || scope.indent !== ''
}

function callArguments(scope: Scope): string {
  const indent = scope.usesArgument ? `i + ${quote(scope.indent)}` : quote(scope.indent)
  return `c${scope.depth}, ${stackCode(scope.depth - 1)}, ${indent}, k + 1`
}

function emitBlock(writer: Writer, units: Units, node: BlockNode, scope: Scope): void {
  const override = scope.blocks.get(node.name)
  const content = override?.block ?? node
  const placed = override
    ? { ...scope, template: override.template, blocks: override.blocks }
    : scope
  if (node.indent === null) {
    const inLine = override ? { ...placed, usesArgument: false, indent: '' } : placed
    emitNodes(writer, units, content.nodes, inLine)
    return
  }
  const inner = { ...placed, indent: scope.indent + node.indent }
  if (!content.startsLine && content.nodes.length > 0) {
    emitLineStart(writer, inner, content.nodes[0])
  }
  emitNodes(writer, units, content.nodes, inner)
}
