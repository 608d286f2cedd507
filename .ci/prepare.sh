# Sourced by ./demo and ./check: what a bare Debian or Ubuntu machine with Rust still lacks.
# Nothing is put outside this folder and the package caches, save apt packages.

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Debian packages: a C++ compiler and libclang build RocksDB; pip fetches the neo-go binary. With the word "tests" also what
# tests run beside our own programs: Node.js and Python's venv for the independent checks of the test vectors, a browser,
# mutt, and what cuts networks and sets clocks wrong for storage nodes.
install_packages() {
    local missing=() sudo=""
    command -v g++ >/dev/null || missing+=(g++)
    command -v make >/dev/null || missing+=(make)
    find /usr/lib/llvm-*/lib /usr/lib/x86_64-linux-gnu /usr/lib64 -maxdepth 1 -name 'libclang*.so*' ! -name 'libclang-cpp*' 2>/dev/null |
        grep -q . || missing+=(libclang-dev)
    command -v python3 >/dev/null || missing+=(python3)
    python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
    if [ "${1:-}" = tests ]; then
        command -v node >/dev/null || missing+=(nodejs)
        command -v npm >/dev/null || missing+=(npm)
        python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
        [ -n "${CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome-stable google-chrome >/dev/null ||
            missing+=(chromium)
        command -v ip >/dev/null || missing+=(iproute2)
        command -v faketime >/dev/null || missing+=(faketime)
        command -v mutt >/dev/null || missing+=(mutt)
    fi
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || die "missing: ${missing[*]}; install them with this system's package manager and start again"
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || die "missing packages; run: sudo apt-get install -y ${missing[*]}"
        sudo="sudo -n"
    fi
    say "installing ${missing[*]}"
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        die "apt-get could not install ${missing[*]}"
}

need_cargo() {
    [ -r "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
    command -v cargo >/dev/null || die "cargo is missing: install a stable Rust toolchain (1.89 or newer) from rustup.rs first"
}
