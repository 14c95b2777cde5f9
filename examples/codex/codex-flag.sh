countersign authority token create --account acct-1 --user user-1 |
  countersign codex export --codex-home ~/codex-agent --account acct-1 --user user-1 --token-stdin \
    --authority http://127.0.0.1:4600 --gateway http://127.0.0.1:4700/v1

countersign codex run --codex-home ~/codex-agent -- exec 'Say hello.'
