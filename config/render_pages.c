#include "config/agent_options.h"
#include "config/placementd_options.h"
#include "config/render.h"

static const struct render_part agent_parts[] = {
    {&agent_options, NULL},
    {&mdev_options, NULL},
    {&vf_type_options, NULL},
    {&group_options, NULL},
    {&placement_auth_options, NULL},
    {&placement_session_options, NULL},
    {&placement_adapter_options, NULL},
};

const struct render_page render_vgpu_agent = {
    .file = "vgpu-agent.conf",
    .program = "vgpu-agent",
    .summary = "options of vgpu-agent",
    .intro =
        "`vgpu-agent` reads the files that `--config-file` and `--config-dir` name. "
        "Other sections and options may stand in them, so /etc/nova/nova.conf can be "
        "one of them as it is: then the sections devices, mdev_<type> and placement "
        "are written once, for nova-compute and for the agent.\n\n"
        "`vgpu-agent check-config` says everything that is wrong with them.",
    .example = "[agent]\n"
               "root_provider_name = compute1.example\n\n"
               "[devices]\n"
               "enabled_mdev_types = nvidia-35, nvidia-36\n\n"
               "[mdev_nvidia-35]\n"
               "device_addresses = 0000:84:00.0, 0000:85:00.0\n\n"
               "[mdev_nvidia-36]\n"
               "device_addresses = 0000:86:00.0\n"
               "max_instances = 4\n"
               "traits = CUSTOM_GOLD\n\n"
               "[placement]\n"
               "auth_type = password\n"
               "auth_url = https://controller.example:5000/v3\n"
               "username = placement\n"
               "user_domain_name = Default\n"
               "password = ...\n"
               "project_name = service\n"
               "project_domain_name = Default",
    .elsewhere = (const char *const[]){"placement", NULL},
    .parts = agent_parts,
    .part_count = OPTION_COUNT(agent_parts),
};

static const struct render_part placementd_parts[] = {
    {&placementd_options, NULL},
    {&placement_auth_options, "keystone_authtoken"},
    {&placement_session_options, "keystone_authtoken"},
    {&placement_auth_options, "transfer"},
    {&placement_session_options, "transfer"},
    {&placement_adapter_options, "transfer"},
};

const struct render_page render_placementd = {
    .file = "placementd.conf",
    .program = "placementd",
    .summary = "options of placementd",
    .intro =
        "`placementd` reads the files that `--config-file` and `--config-dir` name. "
        "It has OpenStack Placement's own options where they apply, and section "
        "placementd for the rest; other sections and options may stand in the files.",
    .example = "[placementd]\n"
               "listen = 127.0.0.1:8778\n"
               "database = /var/lib/placementd/placement.db\n\n"
               "[api]\n"
               "auth_strategy = noauth2",
    .elsewhere = (const char *const[]){"keystone_authtoken", "transfer", NULL},
    .parts = placementd_parts,
    .part_count = OPTION_COUNT(placementd_parts),
};
