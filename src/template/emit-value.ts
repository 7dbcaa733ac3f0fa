/** Value tags, JSON, URLs of routes and cached partials → the statements that put them out. Called by `emit.ts`. */
import type { CachedNode, Name, UrlNode, ValueNode } from './ast.ts'
import { emitLookup, ownerCodeOf, stackArguments, stackCode } from './emit-lookup.ts'
import type { Scope, Units } from './emit-scope.ts'
import { quote, type Writer } from './writer.ts'

export function emitValue(writer: Writer, units: Units, node: ValueNode, scope: Scope): void {
  writer.mark(scope.template, node.at)
  emitLookup(writer, node.name, scope.depth)
  if (units.isStrict && node.name.text !== '.') {
    const { head, tail, text } = node.name
    const last = tail.length > 0 ? `o, ${quote(tail.at(-1) as string)}` : 'undefined, null'
    const found = `${stackCode(scope.depth)}, ${quote(head ?? '')}`
    writer.statement(`if (v === undefined) $.unknown(${found}, ${last}, ${quote(text)})`)
  }
  const owner = ownerCodeOf(node.name, scope.depth)
  if (node.escape === 'json') {
    writer.output(`$.json(typeof v === 'function' ? $.call(v, ${owner}) : v)`)
    return
  }
  const place = scope.template.isText ? ', $.plain' : ''
  const lambda = `$.lam(v, ${owner}, ${stackArguments(scope.depth)}, k${place})`
  const [text, lambdaText, other] = node.raw ? ['v', lambda, '$.str(v)'] : escaping(node, lambda)
  writer.output(
    `typeof v === 'string' ? ${text} : typeof v === 'number' ? v : ` +
      `typeof v === 'function' ? ${lambdaText} : ${other}`,
  )
}

/** Code for a string, for what a lambda gives, and for any other value. */
function escaping(node: ValueNode, lambda: string): [string, string, string] {
  const { escape: how } = node
  if (how === 'url') return ['esc($.url(v))', `esc($.url(${lambda}))`, 'esc($.url($.str(v)))']
  return ['esc(v)', `esc(${lambda})`, how === 'text' ? '$.show(v)' : 'esc($.str(v))']
}

export function emitUrl(writer: Writer, node: UrlNode, scope: Scope): void {
  writer.mark(scope.template, node.at)
  writer.statement('p = {}')
  for (const { key, name } of node.params) {
    emitLookup(writer, name, scope.depth)
    const owner = ownerCodeOf(name, scope.depth)
    writer.statement(`p[${quote(key)}] = typeof v === 'function' ? $.call(v, ${owner}) : v`)
  }
  writer.output(`esc($.route(${quote(node.route)}, p))`)
}

export function emitCached(writer: Writer, units: Units, node: CachedNode, scope: Scope): void {
  const template = units.find(node.template)
  if (template === undefined) return
  writer.mark(scope.template, node.at)
  writer.statement('p = { vary: [], tags: [] }')
  const put = (name: Name, code: (value: string) => string) => {
    emitLookup(writer, name, scope.depth)
    const owner = ownerCodeOf(name, scope.depth)
    writer.statement(code(`typeof v === 'function' ? $.call(v, ${owner}) : v`))
  }
  for (const name of node.vary) {
    put(name, (value) => `p.vary.push($.vary(${quote(name.text)}, ${value}))`)
  }
  for (const parts of node.tags) {
    writer.statement("f = ''")
    for (const part of parts) {
      if (typeof part === 'string') writer.statement(`f += ${quote(part)}`)
      else put(part, (value) => `f += $.tag(${quote(part.text)}, ${value})`)
    }
    writer.statement('p.tags.push(f)')
  }
  const content = { nodes: template.nodes, owner: template, template, blocks: units.noBlocks }
  const unit = units.unit(content, false)
  const { depth } = scope
  // What a value's name means depends on where the tag stands.
  const place = `${scope.template.name}:${node.at}`
  writer.output(
    `$.cached(${quote(node.template)}, ${quote(place)}, ${unit}, ${stackArguments(depth)}, k + 1, p, ${node.seconds})`,
  )
}
