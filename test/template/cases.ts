/** The Mustache specification 1.4, clause by clause: rows that the `language-*` tests run. */
import t from 'tap'
import { compile } from '../../src/template/compile.ts'

export interface Case {
  readonly says: string
  readonly template: string
  readonly partials?: Record<string, string>
  readonly data?: unknown
  readonly gives: string
}

export function runCases(module: string, cases: readonly Case[]): void {
  t.test(module, async (t) => {
    for (const { says, template, partials, data, gives } of cases) {
      t.equal(compile(template, { partials: partials ?? {} })(data), gives, `${module}: ${says}`)
    }
  })
}
