/**
 * Tags that only the templates of a site have, all written as a section whose content says what they need:
 * `{{#json}}`, `{{#url}}`, `{{#cached}}`. Called by `parse.ts`.
 */
import { hintNearest } from '../core/nearest.ts'
import type { Name, Node, UrlNode, ValueNode } from './ast.ts'

/** One of these tags, and how to tell what is wrong with it. */
export interface SiteTag {
  /** Its content, trimmed. */
  readonly text: string
  readonly at: number
  name(text: string): Name
  tell(problem: string): void
}

export const SITE_TAGS: ReadonlyMap<string, (tag: SiteTag) => Node> = new Map<
  string,
  (tag: SiteTag) => Node
>([
  ['json', jsonNode],
  ['url', urlNode],
  ['cached', cachedNode],
])

/** `{{#json}}name{{/json}}`: the value of a name as JSON. */
function jsonNode({ text, at, name, tell }: SiteTag): ValueNode {
  if (text === '' || /[\s{}]/.test(text)) tell('holds no name alone')
  return { kind: 'value', name: name(text), raw: false, escape: 'json', at }
}

/** `{{#url}}route key key=name{{/url}}`; a key alone is the value of its name. */
function urlNode({ text, at, name, tell }: SiteTag): UrlNode {
  const [route = '', ...pairs] = text.split(/\s+/)
  if (route === '' || /[{}=]/.test(text.replace(/(\s[\w-]+)=/g, '$1'))) {
    tell('holds no route with keys, like "post id" or "post id=comment.post"')
  }
  const params = pairs.map((pair) => {
    const [key = '', value = key] = pair.split('=')
    return { key, name: name(value) }
  })
  return { kind: 'url', route, params, at }
}

const OPTIONS = ['seconds', 'tags', 'vary']

/** `{{#cached}}posts/side vary=lang,post.id tags=posts,post:{post.id} seconds=60{{/cached}}`. */
function cachedNode({ text, at, name, tell }: SiteTag): Node {
  const [template = '', ...words] = text.split(/\s+/)
  const options = new Map<string, string>()
  for (const word of words) {
    const [, key = word, value = ''] = /^(\w+)=(.*)$/.exec(word) ?? []
    if (!OPTIONS.includes(key)) tell(`has no option "${key}"${hintNearest(key, OPTIONS)}`)
    else if (options.has(key)) tell(`has the option ${key} twice`)
    else if (value.split(',').includes('')) tell(`says nothing for ${key}`)
    else options.set(key, value)
  }
  if (template === '' || /[{}=]/.test(template)) {
    tell('holds no template, like "posts/side vary=lang seconds=60"')
    return { kind: 'text', text: '' }
  }
  const seconds = Number(options.get('seconds') ?? 'NaN')
  if (options.has('seconds') && !(seconds > 0 && seconds < Number.POSITIVE_INFINITY)) {
    tell('has no number for seconds')
  }
  const list = (key: string) => options.get(key)?.split(',') ?? []
  return {
    kind: 'cached',
    template,
    vary: list('vary').map(name),
    tags: list('tags').map((tag) => tagParts(tag, name, tell)),
    seconds: options.has('seconds') ? seconds : null,
    at,
  }
}

/** `post:{post.id}`: text, the name of a value, text. */
function tagParts(
  tag: string,
  name: SiteTag['name'],
  tell: SiteTag['tell'],
): readonly (string | Name)[] {
  const parts = tag.split(/\{([^{}]+)\}/)
  return parts.map((part, i) => {
    if (i % 2 === 1) return name(part)
    if (/[{}]/.test(part)) tell(`has a brace alone in its tag ${tag}`)
    return part
  })
}

/** Whether a `{{#cached}}` stands among the nodes, or inside of them. */
export function hasCached(nodes: readonly Node[]): boolean {
  return nodes.some((node) => {
    if (node.kind === 'section' || node.kind === 'block') return hasCached(node.nodes)
    return node.kind === 'parent' ? hasCached(node.blocks) : node.kind === 'cached'
  })
}
