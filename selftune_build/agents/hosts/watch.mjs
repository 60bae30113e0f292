// Loaded by Node.js into a host program. What the program would ask a service for again by itself, in silence, is told and ends it:
// selftune-build counts and keeps every attempt, and waits as long as the service says. It listens to the channel on which every
// copy of undici, that of Node.js too, tells of an answer, and changes nothing.
import { subscribe } from "node:diagnostics_channel"
import { writeSync } from "node:fs"

// Before a model is asked a program may start itself anew, and is still to be watched; what it starts later, models told it to.
subscribe("undici:request:create", () => delete process.env.NODE_OPTIONS)

subscribe("undici:request:headers", ({ request, response }) => {
  const status = response.statusCode
  if (request.method !== "POST" || (![401, 403, 429].includes(status) && status < 500)) return
  const headers = response.headers.map(String)
  const place = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === "retry-after")
  const pause = place < 0 ? null : headers[place + 1]
  const message = `the service answers ${status} ${response.statusText}`.trim()
  writeSync(1, JSON.stringify({ type: "selftune.refused", status, retry_after: pause, message }) + "\n")
  process.exit(1)
})
