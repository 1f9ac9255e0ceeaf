#!/usr/bin/env bash
# A Vulkan driver in software (SwiftShader), for the WebGPU tests on a Debian machine without a graphics card. Prints the
# settings that make ONNX Runtime find it:
#
#     eval "$(bash scripts/software-vulkan.sh)" && npm test
#
# Debian's package chromium-common brings the driver and a Vulkan loader. Where it is not installed it is downloaded (30 MB)
# and the three files are unpacked into node_modules/.cache; that changes nothing outside the project and needs no root.
# Messages go to standard error; exit code 1 means that no driver was found, and why.
set -euo pipefail

readonly installed=/usr/lib/chromium
caches="$(cd "$(dirname "$0")/.." && pwd)/node_modules/.cache"
readonly caches cache="$caches/software-vulkan" package=chromium-common
# Where scripts/chromium.sh has unpacked it.
readonly unpacked="$caches/chromium/files/usr/lib/chromium"
readonly files=(vk_swiftshader_icd.json libvk_swiftshader.so libvulkan.so.1)

say() { echo "software-vulkan: $*" >&2; }
fail() { say "$@"; exit 1; }

complete() { # FOLDER: whether it holds all the files
  local file
  for file in "${files[@]}"; do [[ -s "$1/$file" ]] || return 1; done
}

# A server that does not answer is given up after three tries of a minute. (The user of apt-get's sandbox, which root would
# become, cannot write to our folder.)
readonly options=(-o Acquire::http::Timeout=60 -o Acquire::https::Timeout=60 -o Acquire::Retries=2 -o APT::Sandbox::User=root)
apt() { apt-get -q "${options[@]}" "$@" </dev/null >&2; }

download() { # FOLDER: the package's file goes there
  cd "$1"
  apt download "$package" && return
  # This machine's lists of packages are missing or old: a list of our own needs no root.
  mkdir -p lists/partial archives/partial
  local -r own=(-o "Dir::State::Lists=$1/lists" -o "Dir::Cache=$1/archives")
  say "fetching a list of packages"
  apt "${own[@]}" update && apt "${own[@]}" download "$package"
}

if complete "$installed"; then
  folder="$installed"
elif complete "$unpacked"; then
  folder="$unpacked"
else
  folder="$cache"
  if ! complete "$cache"; then
    for tool in apt-get dpkg-deb tar; do
      command -v "$tool" >/dev/null || fail "needs $tool, as Debian has it; elsewhere, install a Vulkan driver (Mesa's lavapipe)"
    done
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' EXIT
    (download "$work") || fail "Debian's package $package could not be downloaded; apt-get's messages stand above"
    mkdir -p "$work/files"
    dpkg-deb --fsys-tarfile "$work/$package"_*.deb |
      tar -x -C "$work/files" --strip-components=4 "${files[@]/#/.$installed/}" ||
      fail "the package $package is not as expected: it lacks one of ${files[*]}"
    mkdir -p "$cache"
    cp "$work/files/"* "$cache/"
  fi
fi

printf 'export VK_ICD_FILENAMES=%q\n' "$folder/vk_swiftshader_icd.json"
printf 'export LD_LIBRARY_PATH=%q\n' "$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
printf 'export XDG_RUNTIME_DIR=%q\n' "${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}"
