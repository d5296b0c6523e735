# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# Postgres of the Debian that has this major version, without the cluster that its package would make, in the layout of the official
# image, with pgvector where Debian has it: an extension that is not of Postgres itself.
major=${layer#postgres-}
mkdir -p "$folder/etc/postgresql-common"
echo 'create_main_cluster = false' >"$folder/etc/postgresql-common/createcluster.conf"
packages=("postgresql-$major")
[ "$major" = 15 ] || packages+=("postgresql-$major-pgvector")
install_debian "$folder" "${packages[@]}"
install -d -o 999 -g 999 -m 1777 "$folder/var/lib/postgresql/data"
install -d -o 999 -g 999 -m 3777 "$folder/run/postgresql"
# Two thirds of it are a compiler for long queries, without which Postgres works, and sources of locales.
rm -rf "$folder/usr/lib/postgresql/$major"/lib/{llvmjit*,bitcode} "$folder"/usr/lib/x86_64-linux-gnu/lib{LLVM,z3}* "$folder"/usr/lib/llvm-*
rm -rf "$folder"/usr/share/{i18n,man}/*
clean_debian "$folder"
