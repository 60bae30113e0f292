// Loaded by opencode into every sample. Where the program would ask a service again by itself, without an event and with pauses of
// its own, this says why and ends it: selftune-build counts and keeps every attempt, and waits as long as the service says.
import { writeSync } from "node:fs"

let refused = {}
const ask = globalThis.fetch
globalThis.fetch = Object.assign(async (...request) => {
  const posts = request[1]?.method === "POST"
  if (posts) refused = {}
  const answer = await ask(...request)
  if (posts && !answer.ok) refused = { status: answer.status, retry_after: answer.headers.get("retry-after") }
  return answer
}, ask)

function end(event) {
  writeSync(1, JSON.stringify(event) + "\n")
  process.exit(1)
}

const acted = new Set()

function look(event) {
  const told = event.properties
  if (event.type === "session.status" && told.status.type === "retry")
    end({ type: "selftune.refused", message: told.status.message, ...refused })
  if (event.type === "message.part.updated" && told.part.type === "tool") acted.add(told.part.messageID)
  if (event.type === "message.updated" && told.info.finish === "unknown" && !acted.has(told.info.id)) end({ type: "selftune.cut" })
}

export const Watch = async () => ({ event: async ({ event }) => look(event) })
