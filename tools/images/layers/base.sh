# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# A minimal Debian with the two users that images of Postgres and of Node are expected to have.
bootstrap "${layer#base-}" "$folder"
printf 'path-exclude=/usr/share/%s/*\n' doc man info locale lintian >"$folder/etc/dpkg/dpkg.cfg.d/slim"
rm -rf "$folder"/usr/share/{doc,man,info,locale,lintian}/*
chroot "$folder" groupadd --system --gid 999 postgres
chroot "$folder" useradd --system --uid 999 --gid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres
chroot "$folder" groupadd --gid 1000 node
chroot "$folder" useradd --uid 1000 --gid 1000 --create-home --shell /bin/bash node
clean_debian "$folder"
