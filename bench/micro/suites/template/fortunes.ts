/** TechEmpower's fortunes, as a view has them after it has sorted. */
import { FORTUNES as TEXTS } from '../../../scenarios/rows.ts'
import type { Sample } from '../template.ts'

export interface Fortune {
  readonly id: number
  readonly message: string
}

const HEAD =
  '<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table><tr><th>id</th><th>message</th></tr>'

const rows: Fortune[] = TEXTS.map((message, i) => ({ id: i + 1, message }))
rows.push({ id: 0, message: 'Additional fortune added at request time.' })
rows.sort((a, b) => (a.message < b.message ? -1 : 1))

export const FORTUNES: Sample<{ rows: Fortune[] }> = {
  template: `${HEAD}{{#rows}}<tr><td>{{id}}</td><td>{{message}}</td></tr>{{/rows}}</table></body></html>`,
  partials: {},
  data: { rows },
}

export function fortunesByHand(
  { rows }: { rows: readonly Fortune[] },
  escaped: (text: string) => string,
): string {
  let out = HEAD
  for (const { id, message } of rows) out += `<tr><td>${id}</td><td>${escaped(message)}</td></tr>`
  return `${out}</table></body></html>`
}
