#!/usr/bin/env bash
# What the plugin uses of DevStack, where DevStack's own functions (DEVSTACK_SOURCE) are not at hand. They behave as those
# do where the plugin can notice: settings are read inside a function, an option goes right behind its section's header,
# and a value that replaces another does not find a section with a blank.

declare -A -g GITDIR

die() { echo "die: ${*:2}" >&2; exit 1; }
warn() { echo "warning: ${*:2}" >&2; }

is_service_enabled() { [[ ",$ENABLED_SERVICES," == *",$1,"* ]]; }

enable_service() { is_service_enabled "$1" || ENABLED_SERVICES+=",$1"; }

trueorfalse() {
    case "${!2:-}" in
        1 | [yY]es | YES | [tT]rue | TRUE) echo True ;;
        0 | [nN]o | NO | [fF]alse | FALSE) echo False ;;
        *) echo "$1" ;;
    esac
}

inidelete() { sed -i -e "/^\[$2\]/,/^\[.*\]/ { /^$3[ \t]*=/ d; }" "$1"; }

iniadd_literal() { sed -i -e "/^\[$2\]/ a\\
$3 = $4" "$1"; }

iniset() {
    grep -q "^\[$2\]" "$1" 2>/dev/null || printf '\n[%s]\n' "$2" >>"$1"
    if [[ "$2" != *" "* ]]; then
        inidelete "$1" "$2" "$3"
    elif sed -ne "/^\[$2\]/,/^\[.*\]/ { /^$3[ \t]*=/ p; }" "$1" | grep -q .; then
        echo "iniset: cannot replace $3 in [$2]" >&2
        return 1
    fi
    iniadd_literal "$@"
}

test_with_retry() { timeout "${3:-10}" sh -c "while ! $1; do sleep ${4:-0.5}; done" || die 0 "$2"; }

create_service_user() { openstack user create "$1" --password "$SERVICE_PASSWORD"; }

run_process() {
    local unit="$SYSTEMD_DIR/devstack@$1.service"
    is_service_enabled "$1" || return 0
    printf '[Service]\nUser=%s\nExecStart=%s\n' "${4:-$STACK_USER}" "$2" >"$unit"
    "$SYSTEMCTL" enable "${unit##*/}"
    "$SYSTEMCTL" start "${unit##*/}"
}

stop_process() {
    if is_service_enabled "$1" && "$SYSTEMCTL" is-enabled "devstack@$1.service"; then
        "$SYSTEMCTL" stop "devstack@$1.service"
        "$SYSTEMCTL" disable "devstack@$1.service"
    fi
}

load_plugin_settings() {
    # shellcheck source=/dev/null
    source "${GITDIR[vgpu-agent]}/devstack/settings"
}

run_phase() {
    # shellcheck source=/dev/null
    source "${GITDIR[vgpu-agent]}/devstack/plugin.sh" "$@"
}
