# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# Label Studio with uWSGI from PyPI, in the layout of the official image but without its nginx. The entrypoint is one of our own.
install_debian "$folder" python3-venv
home=$folder/label-studio
mkdir -p "$home/deploy" "$folder/opt/heartex/instance-data/etc"
cp "$fixtures"/label-studio/{docker-entrypoint.sh,uwsgi.ini} "$home/deploy"
cp "$fixtures/label-studio/constraints.txt" "$folder/tmp"
# shellcheck disable=SC2016 # for the shell inside
in_debian "$folder" sh -euc '
  python3 -m venv /label-studio/.venv
  /label-studio/.venv/bin/pip install --no-cache-dir --no-compile --prefer-binary --constraint /tmp/constraints.txt "label-studio[uwsgi]==$1"
' sh "${layer##*-}"
ln -s .venv/lib/python3.11/site-packages/label_studio "$home/label_studio"
chroot "$folder" useradd --uid 1001 --gid 0 --home-dir /label-studio --no-create-home label-studio
install -d -o 1001 -g 0 -m 0775 "$home/data" "$folder/opt/heartex/instance-data/etc"
clean_debian "$folder"
