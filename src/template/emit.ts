/**
 * Nodes → statements of a generated function. Partials and blocks are written in place, or become the call of
 * a function that gives them: where they come again inside of themselves, and where the function around them
 * has grown enough. Called by `generate.ts`.
 */
import type {
  BlockNode,
  LambdaPlace,
  Node,
  ParentNode,
  PartialNode,
  SectionNode,
  Target,
  Template,
} from './ast.ts'
import { emitLookup, emitStack, ownerCodeOf, stackArguments } from './emit-lookup.ts'
import type { Content, Scope, Units } from './emit-scope.ts'
import { emitCached, emitUrl, emitValue } from './emit-value.ts'
import { sizeOf, sizeOfNode } from './size.ts'
import { quote, quoteData, type Writer } from './writer.ts'

/** A list of nodes that becomes more is divided into functions: V8 gives up on endless ones. */
const MAX_NODES_IN_FUNCTION = 2000

/** Beyond these the content is called: the nesting of the code stays far from JavaScript's limit. */
const MAX_LEVELS = 24
const MAX_IN_PLACE = 12
/** Indentation is written before each line of what stands in place. */
const MAX_INDENT = 100

export function emitNodes(
  writer: Writer,
  units: Units,
  nodes: readonly Node[],
  scope: Scope,
): void {
  if (sizeOf(nodes) <= MAX_NODES_IN_FUNCTION) {
    emitRange(writer, units, nodes, 0, nodes.length, scope)
    return
  }
  for (let from = 0, to = 0; from < nodes.length; from = to) {
    let size = 0
    do size += sizeOfNode(nodes[to++] as Node)
    while (to < nodes.length && size + sizeOfNode(nodes[to] as Node) <= MAX_NODES_IN_FUNCTION)
    // A single large node divides its own content.
    if (to === from + 1) {
      emitRange(writer, units, nodes, from, to, scope)
      continue
    }
    writer.statement('out += (() => {')
    writer.begin(scope.depth)
    emitRange(writer, units, nodes, from, to, scope)
    writer.end()
    writer.statement('})()')
  }
}

function emitRange(
  writer: Writer,
  units: Units,
  nodes: readonly Node[],
  from: number,
  to: number,
  scope: Scope,
): void {
  for (let i = from; i < to; i++) {
    const node = nodes[i] as Node
    if (node.kind === 'line') emitLineStart(writer, scope, nodes[i + 1])
    else emitNode(writer, units, node, scope)
  }
}

function emitNode(
  writer: Writer,
  units: Units,
  node: Exclude<Node, { kind: 'line' }>,
  scope: Scope,
): void {
  switch (node.kind) {
    case 'text':
      return writer.literal(node.text)
    case 'value':
      return emitValue(writer, units, node, scope)
    case 'url':
      return emitUrl(writer, node, scope)
    case 'cached':
      return emitCached(writer, units, node, scope)
    case 'section':
      return node.inverted
        ? emitInverted(writer, units, node, scope)
        : emitSection(writer, units, node, scope)
    case 'partial':
    case 'parent':
      return emitPartial(writer, units, node, scope)
    case 'block':
      return emitBlock(writer, units, node, scope)
    default:
      node satisfies never
  }
}

/** Empty lines stay empty. */
function emitLineStart(writer: Writer, scope: Scope, next: Node | undefined): void {
  if (next?.kind === 'text' && /^\r?\n/.test(next.text)) return
  if (scope.usesArgument) writer.output('i')
  writer.literal(scope.indent)
}

/** What a lambda's result is read by, as code. */
function placeOf({ delimiters, states }: SectionNode, { isText }: Template): string {
  const { open, close } = delimiters
  const place: LambdaPlace = { open, close }
  const all = [...states.values()]
  if (isText) return quoteData({ ...place, isText })
  return quoteData(all.every(({ at }) => at === 'text') ? place : { ...place, states: all })
}

function emitInverted(writer: Writer, units: Units, node: SectionNode, scope: Scope): void {
  writer.mark(scope.template, node.at)
  emitLookup(writer, node.name, scope.depth)
  const owner = ownerCodeOf(node.name, scope.depth)
  // A lambda counts as true without being called.
  writer.statement(`if (typeof v === 'function') v = v.length > 0 || $.call(v, ${owner})`)
  writer.statement('if (!v || (Array.isArray(v) && v.length === 0)) {')
  emitNodes(writer, units, node.nodes, { ...scope, level: scope.level + 1 })
  writer.statement('}')
}

function emitSection(writer: Writer, units: Units, node: SectionNode, scope: Scope): void {
  writer.mark(scope.template, node.at)
  emitLookup(writer, node.name, scope.depth)
  const owner = ownerCodeOf(node.name, scope.depth)
  const text = units.text(scope.template, node.from, node.to)
  const place = units.constant(placeOf(node, scope.template))
  const rest = `${stackArguments(scope.depth)}, k, ${text}, ${place})`
  const depth = scope.depth + 1
  const [item, list, isList, count, at] = ['c', 'a', 'l', 'n', 'j'].map((name) => name + depth)
  writer.uses(depth)
  writer.statement(
    `if (typeof v === 'function') { if (v.length > 0) { out += $.lamText(v, ${owner}, ${rest}; v = false } else v = $.call(v, ${owner}) }`,
  )
  writer.statement(
    `${list} = v; ${isList} = Array.isArray(v); ${count} = ${isList} ? v.length : v ? $.one(v) : 0`,
  )
  writer.statement(`for (${at} = 0; ${at} < ${count}; ${at}++) {`)
  writer.statement(`${item} = ${isList} ? ${list}[${at}] : ${list}`)
  writer.statement(
    `if (typeof ${item} === 'function') { if (${item}.length > 0) { out += $.lamText(${item}, undefined, ${rest}; continue } ${item} = $.call(${item}) }`,
  )
  emitStack(writer, depth)
  emitNodes(writer, units, node.nodes, { ...scope, depth, level: scope.level + 1 })
  writer.statement('}')
}

function emitPartial(
  writer: Writer,
  units: Units,
  node: PartialNode | ParentNode,
  scope: Scope,
): void {
  writer.mark(scope.template, node.at)
  const blocks = node.kind === 'parent' ? scope.blocks.with(node, scope.template) : scope.blocks
  // Within a line the partial's own lines are not indented, as the specification says.
  const inner: Scope =
    node.indent === null
      ? { ...scope, blocks, usesArgument: false, indent: '' }
      : { ...scope, blocks, indent: scope.indent + node.indent }
  if ('dynamic' in node.target) {
    emitDynamic(writer, units, node, node.target, inner)
    return
  }
  const template = units.find(node.target.fixed)
  if (template === undefined) return
  emitContent(writer, units, { nodes: template.nodes, owner: template, template, blocks }, inner)
}

function emitBlock(writer: Writer, units: Units, node: BlockNode, scope: Scope): void {
  const override = scope.blocks.get(node.name)
  if (override === undefined) {
    emitOwnBlock(writer, units, node, scope)
    return
  }
  const { block, template, blocks } = override
  const content = { nodes: block.nodes, owner: block, template, blocks }
  if (node.indent === null) {
    emitContent(writer, units, content, { ...scope, usesArgument: false, indent: '' })
    return
  }
  const inner = { ...scope, indent: scope.indent + node.indent }
  if (!block.startsLine && block.nodes.length > 0) emitLineStart(writer, inner, block.nodes[0])
  emitContent(writer, units, content, inner)
}

/** The content that stands in the block itself, when nothing replaces it. */
function emitOwnBlock(writer: Writer, units: Units, node: BlockNode, scope: Scope): void {
  if (node.indent === null) {
    emitNodes(writer, units, node.nodes, scope)
    return
  }
  const inner = { ...scope, indent: scope.indent + node.indent }
  if (!node.startsLine && node.nodes.length > 0) emitLineStart(writer, inner, node.nodes[0])
  emitNodes(writer, units, node.nodes, inner)
}

function emitContent(writer: Writer, units: Units, content: Content, scope: Scope): void {
  const { nodes, owner, template, blocks } = content
  const repeats = scope.trail.some((step) => step.owner === owner && step.blocks === blocks)
  const isTooDeep = scope.level >= MAX_LEVELS || scope.trail.length > MAX_IN_PLACE
  const isTooFarIn = scope.indent.length > MAX_INDENT
  if (!repeats && !isTooDeep && !isTooFarIn && units.hasRoom(sizeOf(nodes))) {
    const trail = [...scope.trail, { owner, blocks }]
    emitNodes(writer, units, nodes, { ...scope, template, blocks, trail })
    return
  }
  const unit = units.unit(content, isIndented(scope))
  writer.output(`${unit}(${callArguments(scope)})`)
}

function emitDynamic(
  writer: Writer,
  units: Units,
  { unfit }: PartialNode | ParentNode,
  { dynamic }: Extract<Target, { dynamic: unknown }>,
  scope: Scope,
): void {
  emitLookup(writer, dynamic, scope.depth)
  const table = units.table(scope.blocks, isIndented(scope))
  writer.statement(
    `if (typeof v === 'function') v = $.call(v, ${ownerCodeOf(dynamic, scope.depth)})`,
  )
  const refused = unfit.size === 0 ? 'null' : units.constant(quoteData([...unfit]))
  writer.statement(`f = $.pick(${table}, v, ${refused})`)
  writer.statement(`if (f !== null) out += f(${callArguments(scope)})`)
}

function isIndented(scope: Scope): boolean {
  return scope.usesArgument || scope.indent !== ''
}

function callArguments(scope: Scope): string {
  const indent = scope.usesArgument ? `i + ${quote(scope.indent)}` : quote(scope.indent)
  return `${stackArguments(scope.depth)}, ${indent}, k + 1`
}
