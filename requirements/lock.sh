#!/bin/sh
# Pins what pip resolves for the project, common.in, and demo.in or test.in. Packages that torch
# itself pins for a platform are left to torch, so that one file serves every machine.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kind in demo test; do
  "$1" -m venv "$work/$kind"
  "$work/$kind/bin/pip" install --quiet -r requirements/common.in -r "requirements/$kind.in" .
  {
    echo '# Pinned by `make lock`: do not edit by hand.'
    "$work/$kind/bin/pip" freeze --all | grep -v -i -E '^(nvidia|cuda|triton|opentlc|pip|wheel)\b' | sed 's/ @ .*//; s/+cpu//'
  } > "requirements/$kind.txt"
done
