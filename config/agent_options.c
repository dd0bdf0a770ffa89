#include "config/agent_options.h"

#include <string.h>

#define AGENT(kind, name, help, ...) \
    OPTION(kind, struct config, "agent", #name, agent.name, help, ##__VA_ARGS__)
#define MDEV(kind, name, help, ...) \
    OPTION(kind, struct mdev_type_config, "mdev_*", #name, name, help, ##__VA_ARGS__)
#define VF(kind, name, help, ...) \
    OPTION(kind, struct vf_type_config, "vf_type_*", #name, name, help, ##__VA_ARGS__)
#define GROUP(kind, name, help, ...) \
    OPTION(kind, struct group_config, "group_*", #name, name, help, ##__VA_ARGS__)
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct option_section agent_sections[] = {
    {.name = "agent", .ours = true, .help = "The agent itself."},
    {.name = "devices",
     .ours = true,
     .help =
         "Which types of virtual GPUs this host offers: the options that nova-compute "
         "has."},
};

static const struct option_spec agent_specs[] = {
    AGENT(CHOICE, mode,
          "Who keeps the GPUs' providers in Placement. `owner`: the agent alone makes "
          "providers, inventory, traits and devices; nova-compute must have no "
          "enabled_mdev_types. `nova`: nova-compute has enabled_mdev_types and keeps "
          "providers and inventory; the agent adds traits, puts lost devices back, and "
          "reports what differs. `nova-pci`: nova-compute (2025.1 or later) keeps "
          "providers and gives virtual functions to guests by its own [pci] "
          "device_spec; the agent gives each function its type, also after a reboot, "
          "and `vgpu-agent nova-config` prints the fitting part of nova.conf.",
          .choices = NAMES("owner", "nova", "nova-pci"), .default_value = "owner"),
    AGENT(STRING, root_provider_name,
          "The name of this host's provider in Placement. It is what libvirt calls the "
          "host, which is the default: the host's full name.",
          .example = "compute1.example"),
    AGENT(PATH, compute_id_file,
          "The file with the uuid of this host's provider, as nova-compute writes it. "
          "Where not set, compute_id is looked for in /etc/nova and /var/lib/nova.",
          .example = "/var/lib/nova/compute_id"),
    AGENT(
        BOOL, create_root,
        "Create this host's provider when Placement has none. Only for a host without "
        "nova-compute: beside it, nova-compute could never register.",
        .default_value = "false"),
    AGENT(
        SECONDS, sync_interval,
        "How long to wait between two cycles. One where nothing has changed costs "
        "Placement one request; a new allocation waits this long for its device at "
        "most. Each host has its own moment of the interval. After a cycle that could "
        "not reach Placement the next comes an interval (at most a minute) later, "
        "then twice as long, up to a minute.",
        .default_value = "10", .minimum = 1, .maximum = 86400),
    AGENT(
        SECONDS, release_grace,
        "How long a device stays after its allocation has gone. It bridges the moments "
        "in which a migration or a resize moves allocations. Setting the time of day "
        "does not shorten it; after a reboot it begins again.",
        .default_value = "300", .maximum = 604800),
    AGENT(
        CHOICE, drain_reserve,
        "What `vgpu-agent drain` reserves of a GPU in Placement. `unused`: all that is "
        "not allocated, so that guests can be migrated away from it; what a guest "
        "frees is reserved in the next cycle, until which somebody new can get it. "
        "`total`: everything, so that nobody new gets it at any moment; but a "
        "Placement before 2025.2 then refuses to migrate its guests away. 2025.2 and "
        "later, and placementd, do not.",
        .choices = NAMES("total", "unused"), .default_value = "unused"),
    AGENT(PATH, state_file,
          "The list of what the agent made: traits, devices and for whom. It must "
          "survive reboots.",
          .default_value = "/var/lib/vgpu-agent/state.json"),
    AGENT(PATH, sysfs_root, "The directory that stands for /sys.",
          .default_value = "/sys"),
    AGENT(
        PATH, host_root,
        "The directory that stands for / where the files of libvirt, mdevctl, Nova and "
        "/proc are looked at.",
        .default_value = "/"),
    AGENT(BOOL, libvirt,
          "libvirt runs guests on this host. As long as its folders of domains cannot "
          "be seen, it is not known who uses which device, and none is removed. "
          "`false`: there is no libvirt, and devices are protected by the processes "
          "that hold them and by mdevctl's definitions alone.",
          .default_value = "true"),
    AGENT(PATH, libvirt_config_dir,
          "Where libvirt keeps the definitions of its domains. Where not set, "
          "etc/libvirt/qemu below host_root; kolla has it in a volume.",
          .example = "/var/lib/docker/volumes/nova_libvirt_qemu/_data"),
    AGENT(PATH, libvirt_run_dir,
          "Where libvirt keeps the state of running domains. Where not set, "
          "run/libvirt/qemu below host_root.",
          .example = "/host/run/libvirt/qemu"),
    AGENT(
        STRING, attach,
        "Who puts the devices into the guests. `libvirt`: the agent, through libvirt: "
        "into a guest's configuration when the guest is defined, or into the running "
        "guest. With mode = nova, where nova-compute does that, only where a guest "
        "has run a minute without its devices. `none`: nobody of the agent's. Where "
        "not set, `libvirt` with mode = owner, as long as the program "
        "vgpu-agent-libvirt and libvirt's socket are there.",
        .choices = NAMES("libvirt", "none"), .example = "libvirt"),
    AGENT(STRING, libvirt_uri,
          "Where the guests' libvirt is. `?socket=PATH` names a socket elsewhere, as "
          "that of a libvirt in a container.",
          .default_value = "qemu:///system"),
    AGENT(PATH, sriov_manage,
          "The program that enables the virtual functions of NVIDIA's cards. It is run "
          "with `-e` and the card's address, without a shell, for each card that is "
          "configured and has none: by `restore`, and when the agent first needs them. "
          "Only for an agent that runs as root; beside the installed units, enable "
          "vgpu-agent-sriov@ALL.service instead.",
          .example = "/usr/lib/nvidia/sriov-manage"),
    AGENT(
        PATH, before_cut,
        "A program of yours that cuts a card into GPU instances (MIG), the largest "
        "first, before it gets its virtual functions and types. It is run with the "
        "card's address and the type that is configured for it, without a shell, for "
        "each card without instances whose type is for them by its name "
        "(`A100-1-5C`): by `restore`, and when the agent first needs it. It has 120 "
        "seconds, and the instances are counted. Only for an agent that runs as root.",
        .example = "/usr/local/sbin/cut-gpu"),
    AGENT(ADDRESS, listen,
          "Where to serve /metrics, /healthz, /readyz, /status.json and a page for "
          "people "
          "at /. A port alone means loopback. "
          "Where not set, nothing is served.",
          .example = "127.0.0.1:9190"),
    AGENT(CHOICE, log_level, "The least important messages that are written.",
          .choices = NAMES("error", "warning", "info", "debug"),
          .default_value = "info"),
    OPTION(LIST, struct config, "devices", "enabled_mdev_types", enabled_mdev_types,
           "The types to offer. Each by its id in sysfs (`nvidia-35`), by the number "
           "that this ends in, or by its name (`GRID V100DX-1Q`), which stays the same "
           "over driver upgrades. nova-compute knows only ids.",
           .old_names = NAMES("enabled_vgpu_types"), .example = "nvidia-35, nvidia-36"),
    OPTION(
        LIST, struct config, "devices", "passthrough_addresses", passthrough.addresses,
        "The GPUs that go to guests whole, as inventory of the class PGPU, one of "
        "each. PCI addresses of cards; no address may stand under a type as well. All "
        "functions of a card (its sound, its USB controller) go with it: they are "
        "bound to vfio-pci while a consumer has the card, and given back to the "
        "kernel's choice of drivers afterwards. A card whose IOMMU group has another "
        "device in it, other than bridges, is refused. Only with mode = owner, and "
        "for an agent that runs as root (the drop-in whole-cards.conf).",
        .example = "0000:0b:00.0, 0000:0c:00.0"),
    OPTION(BOOL, struct config, "devices", "passthrough_one_time_use",
           passthrough.one_time_use,
           "one_time_use of the cards of passthrough_addresses (see [mdev_<type>]).",
           .default_value = "false"),
    OPTION(
        BOOL, struct config, "devices", "passthrough_console", passthrough.console,
        "Also take a card of passthrough_addresses from the host that is its primary "
        "display (boot_vga): the console goes dark.",
        .default_value = "false"),
};

static const struct option_section mdev_sections[] = {
    {.name = "mdev_*",
     .example = "mdev_nvidia-35",
     .ours = true,
     .help =
         "One type, as [mdev_nvidia-35] or [mdev_GRID V100DX-1Q]. The old name of the "
         "section is [vgpu_<type>]. A type without device_addresses is the default "
         "for all GPUs that no type names; there can be one such type."},
};

static const struct option_spec mdev_specs[] = {
    MDEV(LIST, device_addresses,
         "The GPUs that get this type. PCI addresses, or names of devices that are not "
         "PCI (`mtty`); no address may stand under two types, unless both say "
         "several_types.",
         .example = "0000:84:00.0, 0000:85:00.0"),
    MDEV(
        STRING, mdev_class,
        "The resource class of the inventory. Where not set, in mode nova-pci, CUSTOM_ "
        "and the type, so that no flavor that asks for VGPU is sent there.",
        .pattern = "^(VGPU|CUSTOM_[A-Z0-9_]+)$", .maximum = 255,
        .accepted = "VGPU, or CUSTOM_ and then A-Z, 0-9 and _; 255 characters at most",
        .default_value = "VGPU"),
    MDEV(UNSIGNED, max_instances,
         "At most so many devices of this type on each GPU. Where not set, as many as "
         "the driver allows.",
         .minimum = 1, .maximum = 65535, .example = "8"),
    MDEV(UNSIGNED, max_unit,
         "At most so many devices of one GPU for one consumer: the inventory's "
         "max_unit, "
         "which Placement checks. 1 is for types of which a guest takes one, as some "
         "of NVIDIA's. Where not set, it is the total, or what an operator has set in "
         "Placement. Without effect where nova-compute keeps the inventory.",
         .minimum = 1, .maximum = 65535, .example = "1"),
    MDEV(
        STRING, device_id,
        "The model of the GPUs that this section is for, as `lspci -nn` and "
        "`vgpu-agent gpus --wide` show it. On a card of another model, which stands in "
        "the same slot after a repair or on another host with the same file, nothing "
        "is made.",
        .pattern = "^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$",
        .accepted = "vendor and device, four hexadecimal digits each",
        .example = "10de:26b9"),
    MDEV(STRING, vgpu_params,
         "The plugin parameters of NVIDIA's driver that each device of this type gets "
         "when it is made, and when it goes to another consumer. A device that they "
         "cannot be written to is removed again. Existing devices keep theirs; "
         "`vgpu-agent params` sets those of one device.",
         .pattern = VGPU_PARAMS_PATTERN, .maximum = VGPU_PARAMS_MAX,
         .accepted = VGPU_PARAMS_ACCEPTED,
         .example = "frame_rate_limiter=0, disable_vnc=1"),
    MDEV(LIST, traits, "Traits for the GPUs of this type, beside the agent's own.",
         .pattern = "^CUSTOM_[A-Z0-9_]+$", .maximum = 255,
         .accepted = "a list of names that are CUSTOM_ and then A-Z, 0-9 and _; 255 "
                     "characters at most each",
         .example = "CUSTOM_GOLD"),
    MDEV(
        BOOL, one_time_use,
        "A unit that a consumer has had is given to nobody else before an operator has "
        "cleaned it: it stays reserved in Placement, also when its device has gone, "
        "until `vgpu-agent clean GPU`. Only with mode = owner, and for GPUs that have "
        "one type.",
        .default_value = "false"),
    MDEV(BOOL, several_types,
         "In owner mode: the GPUs of this section may stand in other sections that say "
         "so, too. Such a GPU has a provider for each of its types, below its own; the "
         "first device decides which type it becomes, and until the last device has "
         "gone the others have no inventory.",
         .default_value = "false"),
    MDEV(BOOL, allow_mixed,
         "Like several_types, and the GPU takes the types beside each other, as Intel "
         "GVT-g does, and NVIDIA's driver in its mixed-size mode. All sections of the "
         "GPU must say so. The inventories are what the driver still grants.",
         .default_value = "false"),
    MDEV(BOOL, live_migratable,
         "In mode nova-pci: Nova may migrate guests that have devices of this type. "
         "Only "
         "where driver, libvirt and QEMU of both hosts can do it.",
         .default_value = "false"),
};

static const struct option_section vf_type_sections[] = {
    {.name = "vf_type_*",
     .example = "vf_type_mxgpu",
     .ours = true,
     .help =
         "What a type of virtual functions is, where no driver names types. The name "
         "is "
         "yours: the type is enabled by it, and its cards are in [mdev_<type>]. Either "
         "`fixed`, or `vram_quota` and what follows it."},
};

static const struct option_spec vf_type_specs[] = {
    VF(BOOL, fixed,
       "Each virtual function of the cards in device_addresses is one unit as it is, "
       "as "
       "with AMD's MxGPU: who cut the card has decided what a function is. Nothing is "
       "written; a unit is given to an allocation and taken back.",
       .example = "true"),
    VF(STRING, vram_quota,
       "With Intel's driver xe: the memory of a function of this type, with K, M or G "
       "behind it. A card takes as many as its memory and its functions allow. Linux "
       "7.0 or later; a device is made by writing it, and ended by a 0.",
       .pattern = "^[0-9]{1,15}[KMG]?$",
       .accepted = "a number of bytes, with K, M or G behind it", .example = "8G"),
    VF(UNSIGNED, exec_quantum_ms,
       "With xe: how long a function of this type may use the GPU at a time, in "
       "milliseconds. 0 is no limit, the driver's default.",
       .default_value = "0", .maximum = 100000),
    VF(UNSIGNED, preempt_timeout_us,
       "With xe: how long it may go on when its time is up, in microseconds. 0 is no "
       "limit, the driver's default.",
       .default_value = "0", .maximum = 100000000),
    VF(STRING, sched_priority,
       "With xe: the priority that the card's functions must have. The driver sets it "
       "for all functions of a card together, in sriov_admin/.bulk_profile: the agent "
       "does not, and makes no device of the type on a card that has another.",
       .choices = NAMES("low", "normal"), .example = "low"),
};

const struct option_table agent_options = {
    .sections = agent_sections,
    .section_count = OPTION_COUNT(agent_sections),
    .options = agent_specs,
    .option_count = OPTION_COUNT(agent_specs),
};

const struct option_table vf_type_options = {
    .sections = vf_type_sections,
    .section_count = OPTION_COUNT(vf_type_sections),
    .options = vf_type_specs,
    .option_count = OPTION_COUNT(vf_type_specs),
};

const struct option_table mdev_options = {
    .sections = mdev_sections,
    .section_count = OPTION_COUNT(mdev_sections),
    .options = mdev_specs,
    .option_count = OPTION_COUNT(mdev_specs),
};

static const struct option_section group_sections[] = {
    {.name = "group_*",
     .example = "group_render",
     .ours = true,
     .help =
         "A group of GPUs, as [group_render]. Their providers have the trait "
         "CUSTOM_GPU_GROUP_ and the name (CUSTOM_GPU_GROUP_RENDER), for flavors that "
         "are to get virtual GPUs of this group only. A GPU is in one group at most."},
};

static const struct option_spec group_specs[] = {
    GROUP(LIST, device_addresses,
          "The GPUs of the group, by their addresses as in [mdev_*].",
          .example = "0000:84:00.0, 0000:85:00.0"),
    GROUP(CHOICE, allocation,
          "Which GPU of the group the agent takes where the choice is its own: for a "
          "device that is made by hand without naming a GPU. `breadth-first`: the one "
          "with the fewest devices, so that each guest has as much of a card as can be "
          "had. `depth-first`: the one with the most, so that whole cards stay free. "
          "For servers Placement and Nova's scheduler choose: see allocation_order in "
          "placementd.conf(5), and doc/operating.rst for OpenStack's Placement.",
          .choices = NAMES("breadth-first", "depth-first"),
          .default_value = "depth-first"),
};

const struct option_table group_options = {
    .sections = group_sections,
    .section_count = OPTION_COUNT(group_sections),
    .options = group_specs,
    .option_count = OPTION_COUNT(group_specs),
};

const char *agent_options_place(const char *name)
{
    static const struct {
        const struct option_table *table;
        const char *place; /* NULL: that of the option itself */
    } places[] = {
        {&agent_options, NULL},
        {&mdev_options, "mdev_<type>"},
        {&vf_type_options, "vf_type_<type>"},
        {&group_options, "group_<name>"},
    };
    for (size_t i = 0; i < OPTION_COUNT(places); i++)
        for (size_t j = 0; j < places[i].table->option_count; j++) {
            const struct option_spec *option = &places[i].table->options[j];
            if (strcmp(option->name, name) == 0)
                return places[i].place ? places[i].place : option->section;
        }
    return NULL;
}
