/** What the compiler knows of sessions: keys, values, and that values are not changed in place. */
import type { Request } from '../../src/http/request.ts'
import { defineSession } from '../../src/was/session/open.ts'

const session = defineSession<{ cart: number[]; theme: 'dark' | 'light' }>()

export async function view(req: Request<{ id: number }>): Promise<void> {
  const own = await session(req)
  const theme: 'dark' | 'light' | undefined = own.get('theme')
  own.set('theme', theme ?? 'dark').set('cart', [1])
  own.update('cart', (cart = []) => [...cart, req.params.id])
  own.update('theme', () => undefined)
  own.delete('cart')
  own.rotate({ userId: '7' })

  // @ts-expect-error a key that the session does not have
  own.get('themes')
  // @ts-expect-error a value that the key does not have
  own.set('theme', 'blue')
  // @ts-expect-error every key may be missing
  const always: 'dark' | 'light' = own.get('theme')
  // @ts-expect-error a value is changed by set or update, not in place
  own.get('cart')?.push(always === 'dark' ? 1 : 2)
  // @ts-expect-error an update gives the key's own kind of value
  own.update('cart', () => ['1'])
  // @ts-expect-error a user's id is a text
  own.rotate({ userId: 7 })
}
