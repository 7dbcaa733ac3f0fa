import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { describeError } from '../../src/core/log.ts'
import { defineSettings } from '../../src/was/settings.ts'

/** Variables for the time of a test. */
function set(t: Test, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) process.env[name] = value
  t.teardown(() => {
    for (const name of Object.keys(values)) delete process.env[name]
  })
}

t.test('settings are read from the environment, with types and defaults', async (t) => {
  set(t, { T_KEY: 'sk_live', T_WORKERS: '8', T_DEBUG: 'off', T_EMPTY: '' })
  const settings = defineSettings(
    z.object({
      T_KEY: z.string(),
      T_WORKERS: z.coerce.number(),
      T_DEBUG: z.stringbool(),
      T_EMPTY: z.string().default('default'),
      T_MAYBE: z.string().optional(),
    }),
  )
  const key: string = settings.T_KEY
  const workers: number = settings.T_WORKERS
  const debug: boolean = settings.T_DEBUG
  t.strictSame([key, workers, debug, settings.T_EMPTY], ['sk_live', 8, false, 'default'])
  t.equal(settings.T_MAYBE, undefined)
  t.throws(() => Object.assign(settings, { T_KEY: 'x' }), TypeError, 'they are frozen')
  process.env['T_KEY'] = 'another'
  t.equal(settings.T_KEY, 'sk_live', 'read once')
})

t.test('other variables are nobody’s business, inherited names are no variables', async (t) => {
  set(t, { T_KEY: 'a', T_OTHER: 'b' })
  t.strictSame(Object.keys(defineSettings(z.strictObject({ T_KEY: z.string() }))), ['T_KEY'])
  t.throws(() => defineSettings(z.object({ toString: z.string() })), /toString is not set/)
})

t.test('all mistakes are told at once, by name and never by value', async (t) => {
  const secrets = {
    T_KEY: 'sk_live_51H',
    T_WORKERS: 'hunter2',
    T_MODE: 'secret-mode',
    T_OWN: 'p4ss',
  }
  set(t, { ...secrets, T_EMPTY: '' })
  const quoting = z.string().refine(() => false, { error: ({ input }) => `not ${String(input)}` })
  const schema = z.object({
    T_KEY: z.string().min(32),
    T_WORKERS: z.coerce.number(),
    T_MODE: z.enum(['live', 'test']),
    T_OWN: quoting,
    T_EMPTY: z.string(),
    T_MISSING: z.coerce.number(),
  })
  try {
    defineSettings(schema)
    t.fail('it is refused')
  } catch (error) {
    t.match(error, {
      code: 'UWAS_ERR_WAS_SETTINGS',
      message: `the settings in the environment are wrong:
  - T_KEY does not fit: Too small: expected string to have >=32 characters
  - T_WORKERS does not fit: it has to be of type number
  - T_MODE does not fit: Invalid option: expected one of "live"|"test"
  - T_OWN does not fit: see its schema
  - T_EMPTY is not set
  - T_MISSING is not set
set them in the environment, or in a file .env beside the configuration`,
    })
    const everything = inspect(error, { depth: 9 }) + describeError(error) + JSON.stringify(error)
    for (const value of Object.values(secrets)) t.notMatch(everything, value)
  }
})

t.test('what holds between settings is told without a name, and without values', async (t) => {
  set(t, { T_A: 'value-a', T_B: 'value-b' })
  const pair = z.object({ T_A: z.string(), T_B: z.string() })
  const equal = pair.refine(({ T_A, T_B }) => T_A === T_B, {
    error: 'T_A and T_B have to be equal',
  })
  t.throws(() => defineSettings(equal), /- T_A and T_B have to be equal\n/)
  const quoting = pair.refine(() => false, {
    error: ({ input }) => JSON.stringify(input),
  })
  t.throws(() => defineSettings(quoting), /- they do not fit together\n/)
})

t.test('printed, logged, or as JSON they are names', async (t) => {
  set(t, { T_KEY: 'sk_live_51H' })
  const settings = defineSettings(z.object({ T_KEY: z.string() }))
  t.equal(inspect({ settings }), '{ settings: settings { T_KEY } }')
  t.equal(JSON.stringify({ settings }), '{"settings":{"T_KEY":"(hidden)"}}')
  t.strictSame(Object.keys(settings), ['T_KEY'])
})
