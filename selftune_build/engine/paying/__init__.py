"""The part of an invocation that costs money: every answer is made durable before anybody looks at it, and never paid twice."""
