# Sourced by the other scripts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Seconds as people read them: 75 -> 1 min 15 s.
duration() {
    if (($1 < 60)); then echo "$1 s"; else echo "$(($1 / 60)) min $(($1 % 60)) s"; fi
}

need_swift() {
    command -v swift >/dev/null || fail "no Swift toolchain found. Install Swift 6.2 or later (https://www.swift.org/install/linux) and put it on the PATH."
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [[ -n $version ]] || fail "'swift --version' does not answer as expected; reinstall the toolchain."
    [[ $(printf '6.2\n%s\n' "$version" | sort -V | head -n 1) == 6.2 ]] ||
        fail "Swift $version is too old: Oakum needs 6.2 or later (https://www.swift.org/install/linux)."
}
