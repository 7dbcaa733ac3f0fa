import t from 'tap'
import { words } from '../../../src/demo/forms/text.ts'

const kindsOf = (text: string) =>
  words(5)
    .safeParse(text)
    .error?.issues.map((issue) => ('params' in issue ? issue.params : {}))

t.test('length counts code points, and a problem says by how many', async (t) => {
  t.equal(kindsOf('🎐🎐🎐🎐🎐'), undefined)
  t.strictSame(kindsOf('🎐🎐🎐🎐🎐가나'), [{ kind: 'tooLong', by: 2 }])
})

t.test('turns of direction are refused', async (t) => {
  for (const bad of ['\u202e', '\u2066']) {
    t.strictSame(kindsOf(`a${bad}b`), [{ kind: 'control' }], JSON.stringify(bad))
  }
})

t.test('joined emoji and right-to-left names are fine', async (t) => {
  t.equal(kindsOf('👩‍🌾'), undefined)
  t.equal(kindsOf('سلام'), undefined)
})
