#!/usr/bin/env bash
# A Chromium for the tests of the browser targets, on a Debian machine. Prints the setting that names it:
#
#     eval "$(bash scripts/chromium.sh)" && npm test
#
# Where a browser is on the PATH, it is that. Otherwise Debian's package and the libraries that the machine lacks for it are
# downloaded (100 to 200 MB) and unpacked into node_modules/.cache; that changes nothing outside the project and needs no root.
# Messages go to standard error; exit code 1 means that there is no browser, and why.
set -euo pipefail

cache="$(cd "$(dirname "$0")/.." && pwd)/node_modules/.cache/chromium"
readonly cache package=chromium
readonly program="$cache/files/usr/lib/chromium/chromium" start="$cache/chromium"

say() { echo "chromium: $*" >&2; }
fail() { say "$@"; exit 1; }
found() { printf 'export NETSMITH_BROWSER=%q\n' "$1"; exit; }

for name in chromium chromium-browser google-chrome; do
  if path="$(command -v "$name")"; then found "$path"; fi
done
[[ -x "$start" && -x "$program" ]] && found "$start"

for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || fail "needs $tool, as Debian has it; elsewhere, install Chromium or Chrome"
done
mkdir -p "$cache/lists/partial" "$cache/archives/partial" "$cache/files"
# A server that does not answer is given up after three tries of a minute. (The user of apt-get's sandbox, which root would
# become, cannot write to our folder.) The list of packages is our own, as the machine's may be missing or old.
readonly options=(
  -o Acquire::http::Timeout=60 -o Acquire::https::Timeout=60 -o Acquire::Retries=2 -o APT::Sandbox::User=root
  -o Dir::State::Lists="$cache/lists" -o Dir::Cache="$cache" -o Debug::NoLocking=1
)
apt-get -q "${options[@]}" update </dev/null >&2 || fail "the list of packages could not be fetched; apt-get's messages stand above"
apt-get -q -y --no-install-recommends --download-only "${options[@]}" install "$package" </dev/null >&2 ||
  fail "Debian's package $package could not be downloaded; apt-get's messages stand above"
for file in "$cache"/archives/*.deb; do dpkg-deb -x "$file" "$cache/files"; done
rm -rf "$cache/archives" "$cache/lists"
[[ -x "$program" ]] || fail "the package $package is not as expected: it lacks /usr/lib/chromium/chromium"
libraries="$(find "$cache/files" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)"
printf '#!/bin/sh\nexport LD_LIBRARY_PATH=%q\nexec %q "$@"\n' "$libraries" "$program" > "$start"
chmod +x "$start"
found "$start"
