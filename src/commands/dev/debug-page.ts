/**
 * Development's page of an unexpected error: what was thrown, where in the site, with the lines around
 * it. Gets the request and the error, leaves the reply. Never used by `serve`.
 */
import { readFileSync } from 'node:fs'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeError } from '../../core/log.ts'
import { html, type Reply } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import { declaredStatements } from '../../model/statement-registry.ts'
import type { SiteConfig } from '../../was/config.ts'
import { count } from '../count.ts'
import { withoutLoadNumbers } from '../site-url.ts'
import { SECRET_NAME, settingsText } from './settings-text.ts'

export const DEBUG_STYLES_PATH = '/__uwas/debug.css'

/** A file of its own, since a site's policy may forbid inline styles. */
export const DEBUG_STYLES = `:root{color-scheme:light dark}
body{margin:0;padding:32px clamp(16px,5vw,64px);font:16px/1.6 system-ui,sans-serif}
h1{font-size:22px;margin:0 0 4px;color:#c92a2a}
h2{font-size:16px;margin:28px 0 8px}
p{margin:4px 0}
pre{margin:0;padding:14px 16px;overflow:auto;border-radius:8px;background:#8881;font:13px/1.6 ui-monospace,Menlo,Consolas,monospace}
mark{background:#ff6b6b44;color:inherit;display:inline-block;min-width:100%}
`

/** Lines shown before and after the one that threw. */
const CONTEXT_LINES = 5

export function debugPage(req: Request, error: unknown, config: SiteConfig): Reply {
  const stack = withoutLoadNumbers(describeError(error))
  const [title = 'Error', ...more] = messageOf(error).split('\n')
  const excerpt = `${templateExcerpt(error, config.templates)}${sourceExcerpt(error)}`
  return html(
    `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>500 ${escapeHtml(title)}</title><link rel="stylesheet" href="${DEBUG_STYLES_PATH}"></head>
<body><h1>${escapeHtml(title)}</h1>
${more.length === 0 ? '' : `<pre>${escapeHtml(more.join('\n'))}</pre>`}
<p>${escapeHtml(`${req.method} ${req.path}`)} · request ${req.id}</p>
${excerpt}
<h2>Stack</h2><pre>${escapeHtml(stack)}</pre>
${sqlOf(req)}
<h2>Request</h2><pre>${escapeHtml(requestText(req))}</pre>
<h2>Configuration</h2><pre>${escapeHtml(settingsText(config))}</pre>
<p>This page is shown by “uwas dev” only; “uwas serve” shows the site's own error page.</p>
</body></html>`,
    { status: 500 },
  )
}

/** The statements that the request has run so far, with their times; those in flight are not among them. */
function sqlOf(req: Request): string {
  const spans = req.trace?.spans.filter(({ step }) => step === 'model') ?? []
  if (spans.length === 0) return '<h2>SQL</h2><p>No statement had been answered.</p>'
  const texts = new Map(declaredStatements().map(({ name, sql }) => [name, sql]))
  const rows = spans.map(({ detail, durationMs, plan = [] }) => {
    const below = [texts.get(detail) ?? '', ...plan.map((line) => `→ ${line}`)].join('\n')
    return `${durationMs.toFixed(2).padStart(8)} ms  ${detail}\n${below.replace(/^/gm, ' '.repeat(13))}`
  })
  const all = spans.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const title = `SQL: ${count(spans.length, 'statement')}, ${all.toFixed(2)} ms`
  return `<h2>${title}</h2><pre>${escapeHtml(rows.join('\n\n'))}</pre>`
}

function requestText(req: Request): string {
  const { method, path, search, params } = req
  const query = [...new URLSearchParams(search)].map(
    ([name, value]) => `  ${name} = ${hidden(name, value)}`,
  )
  const fields = req.headers.map(([name, value]) => `${name}: ${hidden(name, value)}`)
  return [
    `${method} ${path}`,
    ...(query.length === 0 ? [] : ['query', ...query]),
    `params ${JSON.stringify(params)}`,
    '',
    ...fields,
  ].join('\n')
}

function hidden(name: string, value: string): string {
  return SECRET_NAME.test(name) ? `(hidden, ${value.length} characters)` : value
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/** The site's innermost line of the stack, marked, among its neighbours; empty when there is none. */
function sourceExcerpt(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const frame = /(file:\/\/[^\s()?]+)\?uwas-load=\d+:(\d+):\d+/.exec(stack)
  return frame === null ? '' : excerptOf(fileURLToPath(`${frame[1]}`), Number(frame[2]))
}

/** The line of a template that the error, or what led to it, names; of the site's own folder alone. */
function templateExcerpt(error: unknown, folder: string | null): string {
  if (folder === null) return ''
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const place = /(?:^|\s)(\S[^\n]*?\.mustache):(\d+):\d+/.exec(at.message)
    const file = place?.[1] ?? ''
    if (file.startsWith(folder + sep) && !file.includes('..'))
      return excerptOf(file, Number(place?.[2]))
  }
  return ''
}

function excerptOf(file: string, line: number): string {
  const from = Math.max(1, line - CONTEXT_LINES)
  const shown = readLines(file)
    .slice(from - 1, line + CONTEXT_LINES)
    .map((source, i) => {
      const number = from + i
      const row = `${String(number).padStart(5)}  ${escapeHtml(source)}`
      return number === line ? `<mark>${row}</mark>` : row
    })
  return `<h2>${escapeHtml(`${file}:${line}`)}</h2><pre>${shown.join('\n')}</pre>`
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    // Moved or removed since it was loaded: the stack alone has to do.
    return []
  }
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
