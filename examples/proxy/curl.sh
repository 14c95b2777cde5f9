body='{"model": "any", "messages": [{"role": "user", "content": "Say hello."}], "stream": true}'

# With the token; from stdin, so that nothing shows in a process list.
printf 'Authorization: Bearer %s' "$(countersign proxy token)" |
  curl --no-buffer -H @- -H 'X-Thread-Id: thread-42' --json "$body" \
    http://127.0.0.1:4800/v1/chat/completions

# On the Unix socket, which takes no token.
curl --no-buffer --unix-socket ~/.countersign/proxy.sock -H 'X-Thread-Id: thread-42' \
  --json "$body" http://localhost/v1/chat/completions

# Without a proxy: one assertion, straight to the gateway.
countersign header --thread thread-42 |
  curl --no-buffer -H @- --json "$body" http://127.0.0.1:4700/v1/chat/completions
