// Loaded by Node.js into a host program, and taken out of the environment, so that nothing that the program starts loads it.
// What the program would ask a service for again by itself, in silence, is told and ends it: selftune-build counts and keeps every
// attempt, and waits as long as the service says.
import { writeSync } from "node:fs"

delete process.env.NODE_OPTIONS
const ask = globalThis.fetch
globalThis.fetch = async (...request) => {
  const answer = await ask(...request)
  const asked = (request[1]?.method ?? request[0]?.method)?.toUpperCase() === "POST"
  if (asked && ([401, 403, 429].includes(answer.status) || answer.status >= 500)) {
    const message = (await answer.text()).slice(0, 4000)
    const told = { type: "selftune.refused", status: answer.status, retry_after: answer.headers.get("retry-after"), message }
    writeSync(1, JSON.stringify(told) + "\n")
    process.exit(1)
  }
  return answer
}
