/** What visitors write, as fields of a form: words of a certain length, and what may not be in them. */
import { z } from 'uwas'

/** Marks that turn the direction of what follows. */
const REFUSED = /[\u202a-\u202e\u2066-\u2069]/

/** `maxLength` in Unicode code points; a problem says by how many there are more. */
export function words(maxLength: number) {
  return z.string().superRefine((text, context) => {
    const by = [...text].length - maxLength
    if (REFUSED.test(text)) context.addIssue({ code: 'custom', params: { kind: 'control' } })
    if (by > 0) context.addIssue({ code: 'custom', params: { kind: 'tooLong', by } })
  })
}
