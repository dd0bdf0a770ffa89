#!/usr/bin/env bash
#
# DevStack plugin: builds vgpu-agent, points it at nova-compute's configuration and starts it beside nova-compute.
#
#   [[local|localrc]]
#   enable_plugin vgpu-agent <URL of this repository>
#   VGPU_AGENT_TYPES=("nvidia-35")
#
# DevStack sources this file once for each phase: "stack pre-install", "stack install", "stack post-config",
# "stack extra", "stack test-config", "unstack", "clean". Each can be run again. `settings` beside it lists what may be
# set. Packages are in files/debs and files/rpms; DevStack installs them before "pre-install".

# ---- what the settings say ----

# "GRID V100DX-1Q = 0000:84:00.0; max_instances=4" is of the type "GRID V100DX-1Q".
function vgpu_agent_type_of {
    local type=${1%%[=;]*}
    read -r type <<<"$type"
    echo "$type"
}

# Mistakes are told before an hour is spent on the rest of the cloud.
function check_vgpu_agent_settings {
    local entry type
    case "$VGPU_AGENT_MODE" in
        owner|nova|nova-pci) ;;
        *) die $LINENO "VGPU_AGENT_MODE is owner, nova or nova-pci, not '$VGPU_AGENT_MODE'" ;;
    esac
    case "$VGPU_AGENT_ATTACH" in
        libvirt|none) ;;
        *) die $LINENO "VGPU_AGENT_ATTACH is libvirt or none, not '$VGPU_AGENT_ATTACH'" ;;
    esac
    if [[ "$VGPU_AGENT_MODE" != "owner" && "${VIRT_DRIVER:-libvirt}" != "libvirt" ]]; then
        die $LINENO "VGPU_AGENT_MODE=$VGPU_AGENT_MODE: Nova gives devices to guests of libvirt alone, not of VIRT_DRIVER=$VIRT_DRIVER"
    fi
    if [[ -n "${VGPU_AGENT_ADDRESSES:-}" ]]; then
        die $LINENO "VGPU_AGENT_ADDRESSES: the addresses stand in VGPU_AGENT_TYPES: (\"TYPE=ADDRESS,ADDRESS\" ...)"
    fi
    for entry in "${VGPU_AGENT_TYPES[@]}"; do
        type=$(vgpu_agent_type_of "$entry")
        # DevStack's ini functions take a section for a regular expression.
        if [[ -z "$type" || "$type" == *[][/\\,*]* ]]; then
            die $LINENO "VGPU_AGENT_TYPES has one type an entry, (\"TYPE=ADDRESS,ADDRESS; OPTION=VALUE\" ...), not '$entry'"
        fi
        if [[ "$VGPU_AGENT_MODE" == "nova" && "$type" == *" "* ]]; then
            die $LINENO "VGPU_AGENT_TYPES: nova-compute knows types by their ids (nvidia-35), not by names as '$type'"
        fi
    done
}

# ---- build, install ----

function make_vgpu_agent {
    local libvirt=no
    if [[ "$VGPU_AGENT_ATTACH" == "libvirt" ]]; then
        libvirt=yes
    fi
    # The prefix is compiled in, too: it says where vgpu-agent-libvirt is.
    "$@" -C "$VGPU_AGENT_DIR" prefix="$VGPU_AGENT_PREFIX" sysconfdir="$VGPU_AGENT_SYSCONFDIR" LIBVIRT="$libvirt"
}

function install_vgpu_agent {
    make_vgpu_agent make all
    make_vgpu_agent sudo make install
}

# ---- configuration ----

# iniset puts a new option right into a section with blanks in its name, but cannot replace one there.
function vgpu_agent_iniset {
    local file=$1 section=$2 option=$3 value=$4
    inidelete "$file" "$section" "$option"
    iniset "$file" "$section" "$option" "$value"
}

function configure_vgpu_type {
    local file=$1 entry=$2
    local type section words=() word option value
    type=$(vgpu_agent_type_of "$entry")
    section="mdev_$type"
    for word in "mdev_class=$VGPU_AGENT_MDEV_CLASS" "max_instances=$VGPU_AGENT_MAX_INSTANCES" "traits=$VGPU_AGENT_TRAITS"; do
        if [[ -n "${word#*=}" ]]; then
            vgpu_agent_iniset "$file" "$section" "${word%%=*}" "${word#*=}"
        fi
    done
    IFS=';' read -r -a words <<<"$entry"
    # The first word is the type, with its addresses if there are any.
    if [[ "${words[0]}" == *=* ]]; then
        words[0]="device_addresses=${words[0]#*=}"
    else
        unset "words[0]"
    fi
    for word in "${words[@]}"; do
        read -r option <<<"${word%%=*}"
        read -r value <<<"${word#*=}"
        vgpu_agent_iniset "$file" "$section" "$option" "$value"
    done
}

function configure_vgpu_types {
    local file=$1 entry type types=""
    for entry in "${VGPU_AGENT_TYPES[@]}"; do
        type=$(vgpu_agent_type_of "$entry")
        types+="${types:+, }$type"
    done
    if [[ -z "$types" ]]; then
        return 0
    fi
    vgpu_agent_iniset "$file" devices enabled_mdev_types "$types"
    for entry in "${VGPU_AGENT_TYPES[@]}"; do
        configure_vgpu_type "$file" "$entry"
    done
}

# Which of Placement's roots is this host.
function configure_vgpu_root {
    if [[ -n "${VGPU_AGENT_ROOT_PROVIDER_NAME:-}" ]]; then
        iniset "$VGPU_AGENT_CONF" agent root_provider_name "$VGPU_AGENT_ROOT_PROVIDER_NAME"
    elif [[ "${VIRT_DRIVER:-libvirt}" == "fake" ]]; then
        # DevStack numbers its fake computes.
        iniset "$VGPU_AGENT_CONF" agent root_provider_name "${HOSTNAME}1"
    elif [[ -z "${NOVA_CPU_UUID:-}" ]]; then
        # DevStack's nova-compute has its state in a folder of its own.
        iniset "$VGPU_AGENT_CONF" agent compute_id_file "${NOVA_STATE_PATH:-$DATA_DIR/nova}/compute_id"
    fi
}

# These stand instead of nova-compute's own: the agent reads this file after nova-compute's.
function configure_vgpu_service_user {
    if [[ -z "$VGPU_AGENT_SERVICE_USER" ]]; then
        return 0
    fi
    iniset "$VGPU_AGENT_CONF" placement auth_type password
    iniset "$VGPU_AGENT_CONF" placement auth_url "$KEYSTONE_SERVICE_URI"
    iniset "$VGPU_AGENT_CONF" placement username "$VGPU_AGENT_SERVICE_USER"
    iniset "$VGPU_AGENT_CONF" placement password "$SERVICE_PASSWORD"
    iniset "$VGPU_AGENT_CONF" placement user_domain_name "$SERVICE_DOMAIN_NAME"
    iniset "$VGPU_AGENT_CONF" placement project_name "$SERVICE_PROJECT_NAME"
    iniset "$VGPU_AGENT_CONF" placement project_domain_name "$SERVICE_DOMAIN_NAME"
    iniset "$VGPU_AGENT_CONF" placement region_name "$REGION_NAME"
}

function configure_vgpu_agent {
    sudo install -d -m 0755 "$VGPU_AGENT_CONF_DIR"
    sudo install -d -m 0700 "$VGPU_AGENT_STATE_DIR"
    # Written anew each time. It holds a password, and `make install` has put a sample there, which is root's.
    sudo install -o "$STACK_USER" -m 0600 /dev/null "$VGPU_AGENT_CONF"
    iniset "$VGPU_AGENT_CONF" agent mode "$VGPU_AGENT_MODE"
    iniset "$VGPU_AGENT_CONF" agent state_file "$VGPU_AGENT_STATE_DIR/state.json"
    iniset "$VGPU_AGENT_CONF" agent sync_interval "$VGPU_AGENT_SYNC_INTERVAL"
    iniset "$VGPU_AGENT_CONF" agent sysfs_root "$VGPU_AGENT_SYSFS_ROOT"
    iniset "$VGPU_AGENT_CONF" agent attach "$VGPU_AGENT_ATTACH"
    if [[ "${VIRT_DRIVER:-libvirt}" != "libvirt" ]]; then
        iniset "$VGPU_AGENT_CONF" agent libvirt false
    fi
    configure_vgpu_root
    configure_vgpu_service_user
    # DevStack copies nova.conf to nova-compute's file when it starts it, after this phase.
    if [[ "$VGPU_AGENT_MODE" == "nova" ]]; then
        configure_vgpu_types "$NOVA_CONF"
    else
        configure_vgpu_types "$VGPU_AGENT_CONF"
    fi
}

# ---- what the cloud has once: on the nodes with Keystone and nova-api ----

function create_vgpu_agent_accounts {
    if [[ -n "$VGPU_AGENT_SERVICE_USER" ]]; then
        create_service_user "$VGPU_AGENT_SERVICE_USER" "admin"
    fi
}

# The arguments that say what the flavor asks for.
function vgpu_flavor_properties {
    local trait alias
    if [[ "$VGPU_AGENT_MODE" == "nova-pci" ]]; then
        alias=$(sed -n 's/^alias = .*"name": *"\([^"]*\)".*/\1/p' "$NOVA_CONF" | head -n 1)
        [[ -z "$alias" ]] || echo "--property=pci_passthrough:alias=$alias:1"
        return 0
    fi
    echo "--property=resources:$VGPU_AGENT_MDEV_CLASS=1"
    for trait in ${VGPU_AGENT_FLAVOR_TRAITS//,/ }; do
        echo "--property=trait:$trait=required"
    done
}

function create_vgpu_flavor {
    local properties=()
    if [[ -z "$VGPU_AGENT_FLAVOR" ]]; then
        return 0
    fi
    readarray -t properties < <(vgpu_flavor_properties)
    # Without what it asks for, each server of the flavor would be one without a GPU.
    if [[ ${#properties[@]} -eq 0 ]]; then
        warn $LINENO "no flavor $VGPU_AGENT_FLAVOR: $NOVA_CONF has no [pci] alias, see vgpu-agent nova-config"
        return 0
    fi
    if ! openstack --os-region-name="$REGION_NAME" flavor show "$VGPU_AGENT_FLAVOR" >/dev/null 2>&1; then
        openstack --os-region-name="$REGION_NAME" flavor create --ram 512 --disk 5 --vcpus 1 "$VGPU_AGENT_FLAVOR"
    fi
    openstack --os-region-name="$REGION_NAME" flavor set "${properties[@]}" "$VGPU_AGENT_FLAVOR"
}

# ---- start, stop ----

function start_simulated_gpus {
    sudo install -d "$VGPU_AGENT_SYSFS_ROOT"
    run_process vgpu-agent-sim "$VGPU_AGENT_DIR/build/release/mdevsim --host $VGPU_AGENT_SIMULATED_HOST $VGPU_AGENT_SYSFS_ROOT" "" root
    # Before the mount the agent would find an empty folder and report a host without GPUs.
    test_with_retry "mountpoint -q $VGPU_AGENT_SYSFS_ROOT" "mdevsim did not mount $VGPU_AGENT_SYSFS_ROOT" 30 0.1
}

function start_vgpu_agent {
    # systemd does not start what runs, with whatever command line it runs.
    stop_vgpu_agent
    if [[ "$VGPU_AGENT_SIMULATE" == "True" ]]; then
        start_simulated_gpus
    fi
    run_process vgpu-agent "$VGPU_AGENT_PREFIX/sbin/vgpu-agent --config-file $NOVA_CPU_CONF --config-file $VGPU_AGENT_CONF run" "" root
}

function stop_vgpu_agent {
    stop_process vgpu-agent
    if [[ "$VGPU_AGENT_SIMULATE" == "True" ]]; then
        stop_process vgpu-agent-sim
        # One that was killed leaves its mount.
        if grep -qF " $VGPU_AGENT_SYSFS_ROOT " /proc/self/mounts; then
            sudo umount -l "$VGPU_AGENT_SYSFS_ROOT"
        fi
    fi
}

# A command of the agent's, with the files that the daemon reads.
function vgpu_agent {
    sudo "$VGPU_AGENT_PREFIX/sbin/vgpu-agent" --config-file "$NOVA_CPU_CONF" --config-file "$VGPU_AGENT_CONF" "$@"
}

# Waits until the agent has done what it can: nova-compute may not have its provider yet.
function wait_for_vgpu_agent {
    local agent="sudo $VGPU_AGENT_PREFIX/sbin/vgpu-agent --config-file $NOVA_CPU_CONF --config-file $VGPU_AGENT_CONF"
    # 2: changes to be made; 64 and more: it could not look.
    # shellcheck disable=SC2016 # test_with_retry gives it to a shell
    test_with_retry "{ $agent plan >/dev/null 2>&1; test "'$? -lt 2; }' \
        "vgpu-agent is not done after $VGPU_AGENT_READY_TIMEOUT s: see '$agent plan'" "$VGPU_AGENT_READY_TIMEOUT" 1
}

# ---- mode nova-pci: Nova is told of the cut ----

function vgpu_agent_add {
    local file=$1 section=$2 option=$3 value=$4
    if ! grep -qxF -e "$option = $value" "$file"; then
        iniadd_literal "$file" "$section" "$option" "$value"
    fi
}

# The virtual functions have their types only now, after nova-compute's start; so it is started again.
function configure_novas_pci {
    local printed line service
    wait_for_vgpu_agent
    printed=$(vgpu_agent nova-config)
    # Both need the section; nova.conf is what DevStack makes nova-compute's file of.
    iniset "$NOVA_CPU_CONF" pci report_in_placement True
    iniset "$NOVA_CONF" pci report_in_placement True
    iniset "$NOVA_CONF" filter_scheduler pci_in_placement True
    while read -r line; do
        case "$line" in
            "device_spec = "*)
                vgpu_agent_add "$NOVA_CPU_CONF" pci device_spec "${line#* = }"
                ;;
            "alias = "*)
                vgpu_agent_add "$NOVA_CPU_CONF" pci alias "${line#* = }"
                vgpu_agent_add "$NOVA_CONF" pci alias "${line#* = }"
                ;;
        esac
    done <<<"$printed"
    for service in n-cpu n-api n-sch; do
        if is_service_enabled "$service"; then
            $SYSTEMCTL restart "devstack@$service.service"
        fi
    done
}

# ---- check, clean ----

# The tree must be in Placement before anyone boots a guest on it.
function check_vgpu_agent {
    vgpu_agent check-config
    wait_for_vgpu_agent
    vgpu_agent status
    vgpu_agent tree
}

function cleanup_vgpu_agent {
    stop_vgpu_agent
    make_vgpu_agent sudo make uninstall
    sudo rm -rf --one-file-system "$VGPU_AGENT_CONF_DIR" "$VGPU_AGENT_STATE_DIR"
    # Some of it is root's, by `make install`.
    make_vgpu_agent sudo make clean
}

# ---- the phases ----

if is_service_enabled vgpu-agent; then
    case "$1 ${2:-}" in
        "stack pre-install")
            check_vgpu_agent_settings
            ;;
        "stack install")
            if is_service_enabled n-cpu; then
                echo_summary "Building and installing vgpu-agent"
                install_vgpu_agent
            fi
            ;;
        "stack post-config")
            if is_service_enabled keystone; then
                create_vgpu_agent_accounts
            fi
            if is_service_enabled n-cpu; then
                echo_summary "Configuring vgpu-agent"
                configure_vgpu_agent
            fi
            ;;
        "stack extra")
            if is_service_enabled n-cpu; then
                echo_summary "Starting vgpu-agent"
                start_vgpu_agent
                if [[ "$VGPU_AGENT_MODE" == "nova-pci" ]]; then
                    configure_novas_pci
                fi
            fi
            if is_service_enabled n-api; then
                create_vgpu_flavor
            fi
            ;;
        "stack test-config")
            if is_service_enabled n-cpu; then
                echo_summary "Checking vgpu-agent"
                check_vgpu_agent
            fi
            ;;
        "unstack ")
            if is_service_enabled n-cpu; then
                stop_vgpu_agent
            fi
            ;;
        "clean ")
            if is_service_enabled n-cpu; then
                cleanup_vgpu_agent
            fi
            ;;
    esac
fi
