#!/usr/bin/env bash
#
# DevStack plugin: builds vgpu-agent, points it at nova-compute's configuration and starts it beside nova-compute.
#
#   [[local|localrc]]
#   enable_plugin vgpu-agent <URL of this repository>
#   VGPU_AGENT_TYPES=nvidia-35
#
# DevStack sources this file once for each phase: "stack install", "stack post-config", "stack extra",
# "stack test-config", "unstack", "clean". `settings` beside it lists what may be set.

function build_vgpu_agent {
    sudo make -C "$VGPU_AGENT_DIR" deps
    make -C "$VGPU_AGENT_DIR" all
}

function install_vgpu_agent {
    sudo make -C "$VGPU_AGENT_DIR" install prefix="$VGPU_AGENT_PREFIX" sysconfdir=/etc
}

# Credentials stay where DevStack puts them: [placement] of nova-compute's own file.
function configure_vgpu_agent {
    sudo install -d -o "$STACK_USER" -m 0755 "$VGPU_AGENT_CONF_DIR"
    sudo install -d -m 0700 "$VGPU_AGENT_STATE_DIR"
    : >"$VGPU_AGENT_CONF"
    iniset "$VGPU_AGENT_CONF" agent mode "$VGPU_AGENT_MODE"
    iniset "$VGPU_AGENT_CONF" agent state_file "$VGPU_AGENT_STATE_DIR/state.json"
    iniset "$VGPU_AGENT_CONF" agent sync_interval "$VGPU_AGENT_SYNC_INTERVAL"
    iniset "$VGPU_AGENT_CONF" agent sysfs_root "$VGPU_AGENT_SYSFS_ROOT"
    # DevStack copies nova.conf to nova-compute's file when it starts it, after this phase.
    if [[ "$VGPU_AGENT_MODE" == "nova" ]]; then
        configure_vgpu_types "$NOVA_CONF"
    else
        configure_vgpu_types "$VGPU_AGENT_CONF"
    fi
}

function configure_vgpu_types {
    local file=$1 entry
    [[ -n "$VGPU_AGENT_TYPES" ]] || return 0
    iniset "$file" devices enabled_mdev_types "$VGPU_AGENT_TYPES"
    for entry in $VGPU_AGENT_ADDRESSES; do
        iniset "$file" "mdev_${entry%%=*}" device_addresses "${entry#*=}"
    done
}

function start_simulated_gpus {
    sudo install -d "$VGPU_AGENT_SYSFS_ROOT"
    run_process vgpu-agent-sim "$VGPU_AGENT_DIR/build/release/mdevsim --host $VGPU_AGENT_SIMULATED_HOST $VGPU_AGENT_SYSFS_ROOT" "" root
    # Before the mount the agent would find an empty folder and report a host without GPUs.
    if ! timeout 30 sh -c "until mountpoint -q '$VGPU_AGENT_SYSFS_ROOT'; do sleep 0.1; done"; then
        die $LINENO "mdevsim did not mount $VGPU_AGENT_SYSFS_ROOT"
    fi
}

function start_vgpu_agent {
    if [[ "$VGPU_AGENT_SIMULATE" == "True" ]]; then
        start_simulated_gpus
    fi
    run_process vgpu-agent "$VGPU_AGENT_PREFIX/sbin/vgpu-agent --config-file $NOVA_CPU_CONF --config-file $VGPU_AGENT_CONF run" "" root
}

# The tree must be in Placement before anyone boots a guest on it.
function check_vgpu_agent {
    local agent=("sudo" "$VGPU_AGENT_PREFIX/sbin/vgpu-agent" --config-file "$NOVA_CPU_CONF" --config-file "$VGPU_AGENT_CONF")
    "${agent[@]}" check-config
    "${agent[@]}" tree
}

function stop_vgpu_agent {
    stop_process vgpu-agent
    if [[ "$VGPU_AGENT_SIMULATE" == "True" ]]; then
        stop_process vgpu-agent-sim
    fi
}

function cleanup_vgpu_agent {
    sudo make -C "$VGPU_AGENT_DIR" uninstall prefix="$VGPU_AGENT_PREFIX" sysconfdir=/etc
    sudo rm -rf "$VGPU_AGENT_CONF_DIR" "$VGPU_AGENT_STATE_DIR"
    make -C "$VGPU_AGENT_DIR" clean
}

if is_service_enabled vgpu-agent && is_service_enabled n-cpu; then
    case "$1 ${2:-}" in
    "stack install")
        echo_summary "Building and installing vgpu-agent"
        build_vgpu_agent
        install_vgpu_agent
        ;;
    "stack post-config")
        echo_summary "Configuring vgpu-agent"
        configure_vgpu_agent
        ;;
    "stack extra")
        echo_summary "Starting vgpu-agent"
        start_vgpu_agent
        ;;
    "stack test-config")
        echo_summary "Checking vgpu-agent"
        check_vgpu_agent
        ;;
    "unstack ")
        stop_vgpu_agent
        ;;
    "clean ")
        cleanup_vgpu_agent
        ;;
    esac
fi
