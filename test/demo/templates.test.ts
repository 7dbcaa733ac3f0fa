import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { DICTIONARIES } from '../../src/demo/i18n/language.ts'
import { createTemplates } from '../../src/template/templates.ts'
import { PARTIALS } from '../../src/was/forms/partials.ts'

const DIR = fileURLToPath(new URL('../../src/demo/templates', import.meta.url))
const STATIC = fileURLToPath(new URL('../../static', import.meta.url))

const sources = readdirSync(DIR, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.mustache'))
  .map((file) => ({ file, source: readFileSync(`${DIR}/${file}`, 'utf8') }))

/** What stands at a dotted path, or undefined. */
function at(words: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], words)
}

t.test('every template compiles, with all its partials', async (t) => {
  const names = createTemplates({ dir: DIR, partials: PARTIALS }).names()
  t.equal(names.length, sources.length)
  for (const page of ['posts/list', 'posts/post', 'posts/write', 'flow/flow']) {
    t.ok(names.includes(page), page)
  }
})

t.test('every phrase that a template names is in the dictionary', async (t) => {
  const named = sources.flatMap(({ source }) =>
    [...source.matchAll(/\{\{t\.([\w.]+)\}\}/g)].map((match) => match[1] ?? ''),
  )
  t.ok(named.length > 20, 'phrases were found')
  for (const path of named) t.type(at(DICTIONARIES.en, path), 'string', `t.${path}`)
})

t.test('nothing is inline, from another site or unescaped', async (t) => {
  for (const { file, source } of sources) {
    t.notMatch(source, /<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=|javascript:/i, file)
    t.notMatch(source, /(?:src|href|action)="(?:https?:)?\/\//i, file)
    t.notMatch(source, /\{\{[{&]/, file)
  }
})

t.test('every static file that a template names is there', async (t) => {
  const files = readdirSync(STATIC, { recursive: true, encoding: 'utf8' })
  const named = sources.flatMap(({ source }) =>
    [...source.matchAll(/"\/static\/([^"]+)"/g)].map((match) => match[1] ?? ''),
  )
  t.ok(named.length > 5, 'names were found')
  for (const name of named) t.ok(files.includes(name), name)
})

t.test('error pages stand alone and show what they are given, escaped', async (t) => {
  const templates = createTemplates({ dir: DIR, partials: PARTIALS })
  const data = { status: 418, reason: 'Teapot', message: '<b>&', requestId: 'id-7', lang: '' }
  for (const name of ['errors/404', 'errors/500', 'errors/503', 'errors/error']) {
    const page = templates.render(name, data)
    t.match(page, /^<!doctype html>/)
    t.match(page, '418 Teapot')
    t.match(page, 'id-7')
    t.notMatch(page, '<b>')
  }
  t.match(templates.render('errors/error', data), '&lt;b&gt;&amp;')
  t.match(
    templates.render('errors/404', { status: 404 }),
    '<html lang="ko">',
    'data may be missing',
  )
})
