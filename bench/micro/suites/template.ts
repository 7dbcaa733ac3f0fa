/** A compiled template, with its data, against others' and against concatenation by hand. */
import { rivals, uwas } from '../built.ts'
import type { Contestant } from '../measure.ts'
import { type Benchmark, sameResults } from './suite.ts'
import { FORTUNES, type Fortune, fortunesByHand } from './template/fortunes.ts'
import { PAGE, type PageData, pageByHand } from './template/page.ts'

export interface Sample<Data> {
  readonly template: string
  readonly partials: Readonly<Record<string, string>>
  readonly data: Data
}

export function templateSuite(): Benchmark[] {
  return [
    benchmark<{ rows: Fortune[] }>('fortunes', FORTUNES, fortunesByHand),
    benchmark<PageData>('page', PAGE, pageByHand),
  ]
}

function benchmark<Data>(
  name: string,
  { template, partials, data }: Sample<Data>,
  byHand: (data: Data, escaped: (text: string) => string) => string,
): Benchmark {
  const render = uwas.compile(template, { partials })
  const { mustache, hogan, handlebars } = rivals
  mustache.parse(template)
  const ofHogan = hogan.compile(template)
  const partsOfHogan = Object.fromEntries(
    Object.entries(partials).map(([part, text]) => [part, hogan.compile(text)]),
  )
  const own = handlebars.create()
  for (const [part, text] of Object.entries(partials)) own.registerPartial(part, text)
  const ofHandlebars = own.compile(template, { compat: true })
  const contestants: Contestant[] = [
    { name: 'uwas', run: () => render(data) },
    { name: 'by hand', run: () => byHand(data, uwas.escapeHtml) },
    { name: 'hogan.js', run: () => ofHogan.render(data, partsOfHogan) },
    { name: 'handlebars', run: () => ofHandlebars(data) },
    { name: 'mustache.js', run: () => mustache.render(template, data, partials) },
  ]
  sameResults(contestants, (page) => withOurEntities(page as string))
  if (render(data) !== byHand(data, uwas.escapeHtml)) throw new Error('by hand differs')
  const targets = { 'mustache.js': 15, 'hogan.js': 3, 'by hand': 0.85 }
  return { name, contestants, targets }
}

/** mustache.js and handlebars escape more characters, and write the apostrophe otherwise. */
function withOurEntities(page: string): string {
  return page
    .replaceAll('&#x27;', '&#39;')
    .replaceAll('&#x2F;', '/')
    .replaceAll('&#x3D;', '=')
    .replaceAll('&#x60;', '`')
}
