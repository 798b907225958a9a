#!/bin/sh
# Pins what pip resolves for the project and for demo.in (then also test.in). Packages that torch
# itself pins for a platform are left to torch, so that one file serves every machine.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kind in demo test; do
  "$1" -m venv "$work/$kind"
  inputs="-r requirements/demo.in"
  [ "$kind" = test ] && inputs="$inputs -r requirements/test.in"
  # shellcheck disable=SC2086
  "$work/$kind/bin/pip" install --quiet $inputs .
  {
    echo '# Pinned by `make lock`: do not edit by hand.'
    "$work/$kind/bin/pip" freeze | grep -v -i -E '^(nvidia|cuda|triton|opentlc)' | sed 's/ @ .*//; s/+cpu//'
  } > "requirements/$kind.txt"
done
