/** Text → HTML text, against handlebars' escaping, which has the same five characters among its own. */
import { rivals, uwas } from '../built.ts'
import { type Benchmark, sameResults } from './suite.ts'

const TEXTS: Readonly<Record<string, string>> = {
  'short, clean': 'Ada Lovelace',
  'long, clean': 'A page of plain words without anything special in them. '.repeat(20),
  'long, some':
    `It's said that "a < b" & 'b > c'. And then come many words of no interest. `.repeat(10),
}

export function escapeSuite(): Benchmark[] {
  return Object.entries(TEXTS).map(([name, text]) => {
    const contestants = [
      { name: 'uwas', run: () => uwas.escapeHtml(text) },
      { name: 'handlebars', run: () => rivals.handlebars.escapeExpression(text) },
      { name: 'five times replaceAll', run: () => byReplacing(text) },
    ]
    sameResults(contestants, (html) => (html as string).replaceAll('&#x27;', '&#39;'))
    return { name, contestants }
  })
}

function byReplacing(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
