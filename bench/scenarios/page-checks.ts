/** Checks of pages: what they list, and that all of it is escaped. */
import type { Answer } from '../method/ask.ts'
import { ARTICLES, authorName, authorOf, FORTUNES, summaryOf, titleOf } from './rows.ts'
import { same } from './world-checks.ts'

/** Articles of the page that is measured. */
const LISTED = 20

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#34;': '"',
  '&#39;': "'",
  '&#x27;': "'",
  '&amp;': '&',
}

export function checkFortunes(answer: Answer): void {
  const page = answer.body.toString()
  const head =
    '<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table><tr><th>id</th><th>message</th></tr>'
  const found = [...page.matchAll(/<tr><td>(\d+)<\/td><td>([^<>]*)<\/td><\/tr>/g)]
  same(page.trimEnd(), `${head}${found.map(([row]) => row).join('')}</table></body></html>`)
  const rows = found.map(([, id, text = '']) => [Number(id), plainText(text)])
  const all = [...FORTUNES.map((message, i) => [i + 1, message] as const)]
  all.push([0, 'Additional fortune added at request time.'])
  all.sort(([, a], [, b]) => (a < b ? -1 : 1))
  same(rows, all)
}

/** The newest articles, each with its author's name, in a page with a head and a foot. */
export function checkArticles(answer: Answer): void {
  const page = answer.body.toString().replace(/>\s+</g, '><').trim()
  const row =
    /<article><h2><a href="\/articles\/(\d+)">([^<>]*)<\/a><\/h2><p class="by">by ([^<>]*)<\/p><p>([^<>]*)<\/p><\/article>/g
  const found = [...page.matchAll(row)]
  const [head = '', foot = ''] = page.split(found.map(([all]) => all).join(''))
  same(head, HEAD)
  same(foot, FOOT)
  const rows = found.map(([, id, ...texts]) => [Number(id), ...texts.map(plainText)])
  const expected = Array.from({ length: LISTED }, (_, i) => {
    const id = ARTICLES - i
    return [id, titleOf(id), authorName(authorOf(id)), summaryOf(id)]
  })
  same(rows, expected)
}

const HEAD =
  '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Newest articles</title>' +
  '<link rel="stylesheet" href="/style.css"></head><body><header><a href="/">The paper</a>' +
  '<nav><a href="/articles">Articles</a><a href="/authors">Authors</a></nav></header><main><h1>Newest articles</h1>'
const FOOT = '</main><footer><p>Printed by hand.</p></footer></body></html>'

function plainText(text: string): string {
  return text.replace(/&[#\w]+;/g, (entity) => ENTITIES[entity] ?? entity)
}
