#!/usr/bin/env bash
# From nothing to a running application: prepares the machine, deploys examples/notes with `pulumi up` and shows what came of it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -n "${CONTEXT:-}" ] || [ -e "$("$tools/build.sh" --path coredns)" ] ||
  say "first time on this machine: about 12 min, most of it compiling; what is made is kept in $cache"
"$tools/prepare.sh"
environment=$("$tools/env.sh")
eval "$environment"

cd "$root/examples/notes"
pulumi stack select --create dev >/dev/null
say "pulumi up"
pulumi up --yes
"$tools/show.sh"
cat <<EOF

Try next:
  make upgrade                       the next version: one more migration, then the new pods
  eval "\$(make -s env)" && cd examples/notes && pulumi up        the same by hand
  make down && make up               new passwords on the volume that stayed: everything is still there
EOF
