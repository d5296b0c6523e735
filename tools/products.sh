#!/usr/bin/env bash
# Runs for real every product that a preset is for and whose code comes from a registry.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export PRODUCTS=${PRODUCTS:-unleash miniflux n8n strapi label-studio}
"$tools/prepare.sh"
environment=$("$tools/env.sh")
eval "$environment"
cd "$root"
exec npx mocha 'test/products/*.test.ts'
