import { json as jsonReply, type Reply, text } from 'uwas'

export function plaintext(): Reply {
  return text('Hello, World!')
}

export function json(): Reply {
  return jsonReply({ message: 'Hello, World!' })
}
