/** A view whose route has the option `atomic`: it and what it runs on its request are one transaction. */
import type { View } from '../http/view.ts'
import { type AtomicOptions, atomicRequest } from '../model/atomic.ts'

/** Committed before there is a reply; rolled back when the view throws, a page of its error being the reply then. */
export function inTransaction(view: View, options: boolean | AtomicOptions | undefined): View {
  if (options === undefined || options === false) return view
  const begin = options === true ? {} : options
  return (req) => atomicRequest(req, async () => view(req), begin)
}
