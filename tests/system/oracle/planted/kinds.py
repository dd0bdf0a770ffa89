"""Faults for the judge of kinds, of which it must find each in worlds of the kind."""
from . import Plant


class KindsPlant(Plant):
    def __init__(self, kind, name, what, rules, *edits):
        super().__init__(name, what, rules, *edits, mode="kinds")
        self.kind = kind


PLANTS = (
    KindsPlant("whole", "one-time-use-forgotten", "a unit that was used is offered again", "unclean offered",
               ("agent/plan/steps/journal_notes.c", "    if (step->spends)\n", "    if (step->spends && false)\n")),
    KindsPlant("xe", "used-units-offered", "of a type, units that were used are offered again", "unclean",
               ("agent/plan/providers/inventory.c", "           (operators + given < total ? managed_spent(world, managed) : given);\n",
                "           (operators + given < total ? 0 : given);\n")),
    KindsPlant("mdev-several", "disabled-while-resident", "a type is disabled while it is resident", "disabled",
               ("agent/command/enable.c",
                "    if (!enabling->enable && check_resident(type, enabling->gpu, err) != 0)\n",
                "    if (!enabling->enable && check_resident(type, enabling->gpu, err) > 0)\n")),
    KindsPlant("gvtg", "types-fall-one-by-one", "what a device takes from other types is not looked at again",
               "promised offered",
               ("agent/plan/devices/fit.c", "        fit->world->plan->goes_on = true;\n",
                "        fit->world->plan->goes_on = false;\n")),
    KindsPlant("gvtg", "type-not-asked-for", "a consumer is given a device of another type", "type",
               ("agent/plan/world/want_type.c",
                "    if (!own || !type_id || strcmp(own, type_id) == 0)\n        return true;\n    const char *name",
                "    if (!own || !type_id || *own)\n        return true;\n    const char *name")),
    KindsPlant("vendor-vfio", "memory-counted-half", "a virtual GPU takes half of its memory", "offered promised unmet",
               ("agent/backend/nvidia_vfio_scan.c", "            left -= size;\n", "            left -= size / 2;\n")),
    KindsPlant("vendor-vfio", "parameters-inherited", "what is set on a device is there for the next consumer",
               "parameters",
               ("agent/backend/nvidia_vfio.c", "    return write_to_function(place, device, function_check_unused, err);\n",
                "    (void)place, (void)device, (void)err;\n    return 0;\n")),
    KindsPlant("vendor-vfio-mixed", "capacity-of-an-empty-card", "of a mixed card each type is offered as if alone",
               "offered promised",
               ("agent/backend/nvidia_vfio_scan.c",
                "            known &= size > 0;\n            left -= size;\n",
                "            known &= size > 0;\n            left -= 0 * size;\n")),
    KindsPlant("xe", "memory-passed-on", "the next consumer gets the memory as it is", "passed-on",
               ("agent/backend/xe_vf.c",
                "    return xe_clear_profile(function->place, function->admin, name, err) == 0\n"
                "               ? xe_write_profile(", "    return function->admin >= 0\n"
                "               ? xe_write_profile(")),
    KindsPlant("fixed", "function-overlooked", "a card's first function is not seen", "listed hidden",
               ("agent/backend/fixed_vf.c", "    for (unsigned i = 0;; i++) {\n",
                "    for (unsigned i = 1;; i++) {\n")),
    KindsPlant("whole", "override-left", "a card that is given back still has its override", "left",
               ("agent/backend/passthrough.c",
                "    if (whole_card_is_ours(part->driver_override) &&\n"
                "        set_override(work, part, override, err) != 0)\n"
                "        return -1;\n    _cleanup_free_ char *late",
                "    _cleanup_free_ char *late")),
    KindsPlant("mig", "instances-counted-again", "an instance that has a device is offered", "offered promised",
               ("agent/backend/nvidia_mig.c", "               ? (unsigned)(gpu->partitions - devices)\n",
                "               ? (unsigned)gpu->partitions\n")),
)
