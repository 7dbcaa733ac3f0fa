/** Views that make URLs of the URL conf that imports them: each has an explicit result or type. */
import { type Reply, redirect, text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import type { View } from '../../../src/http/view.ts'
// biome-ignore lint/suspicious/noImportCycles: the circle is what this folder tries
import { url } from './urls.ts'

export function post(req: Request<{ id: number }>): Reply {
  return text(url('post', { id: req.params.id }))
}

export async function next(req: Request<{ id: number }>): Promise<Reply> {
  return redirect(url('post', { id: req.params.id + 1 }))
}

export const home: View = () => text(url('home'))
