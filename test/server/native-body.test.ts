import t from 'tap'
import type { EngineResponse } from '../../src/server/engine-types.ts'
import { NativeBody } from '../../src/server/native-body.ts'

type OnData = (chunk: ArrayBuffer, isLast: boolean) => void

/** The part of a response that a body listens to: bodies beyond their own word come from no engine here. */
function responseOf(listen: (onData: OnData) => void): EngineResponse {
  return { onData: listen } as unknown as EngineResponse
}

const tooLarge = {
  code: 'UWAS_ERR_HTTP_BODY_TOO_LARGE',
  status: 413,
  message: 'the request body is larger than 10 bytes',
}

t.test('a body that says it is too large is refused before it is read', async (t) => {
  const body = new NativeBody(
    responseOf(() => t.fail('nothing is listened for')),
    11,
    10,
  )
  await t.rejects(body.read(), tooLarge)
})

t.test('a body of unknown length is refused at the limit', async (t) => {
  let onData: OnData = () => t.fail('no listener')
  const body = new NativeBody(
    responseOf((listener) => {
      onData = listener
    }),
    Number.NaN,
    10,
  )
  onData(new ArrayBuffer(10), false)
  onData(new ArrayBuffer(1), true)
  await t.rejects(body.read(), tooLarge)
})
