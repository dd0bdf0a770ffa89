// SPDX-License-Identifier: GPL-2.0
/*
 * vgpu_sample: GPUs for tests. Makes PCI devices that QEMU emulates into parents of
 * mediated devices, as a vendor's vGPU driver does:
 *
 *   edu  (1234:11e8)  one card, itself the parent, `instances` devices of one type at a time
 *   nvme (1b36:0010)  a card with SR-IOV: each virtual function is a parent of at most one device,
 *                     the card carries `instances` of one type at a time
 *
 * The driver is called "nvidia", so the types are nvidia-35 and so on. Devices are real
 * to VFIO: who opens one keeps its removal waiting. QEMU can give them to a guest,
 * which sees a PCI function 10de:13f2 that does nothing. Module parameters, writable in
 * /sys/module, make the next creates slow or fail, and reads hang.
 */
#include <linux/delay.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

static unsigned int instances = 4;
module_param(instances, uint, 0644);
MODULE_PARM_DESC(instances, "devices that one card carries");
static unsigned int create_delay_ms;
module_param(create_delay_ms, uint, 0644);
MODULE_PARM_DESC(create_delay_ms, "how long a create takes");
static unsigned int create_errno;
module_param(create_errno, uint, 0644);
MODULE_PARM_DESC(create_errno, "the errno that creates fail with; 0: they do not");

static unsigned int hang;
module_param(hang, uint, 0644);
MODULE_PARM_DESC(hang, "reads do not come back until it is 0 again; 1: signals end them, 2: nothing does");
static unsigned int hang_slot;
module_param(hang_slot, uint, 0644);
MODULE_PARM_DESC(hang_slot, "the PCI slot of the cards whose reads hang");
static bool hang_description;
module_param(hang_description, bool, 0644);
MODULE_PARM_DESC(hang_description, "the reads of description hang, not those of available_instances");

static const struct {
	const char *suffix, *name, *description;
} offered[] = {
	{ "35", "GRID M60-0B",
	  "num_heads=2, frl_config=45, framebuffer=512M, max_resolution=2560x1600, max_instance=4" },
	{ "36", "GRID M60-0Q",
	  "num_heads=2, frl_config=60, framebuffer=512M, max_resolution=2560x1600, max_instance=4" },
	{ "37", "GRID M60-1A",
	  "num_heads=1, frl_config=60, framebuffer=1024M, max_resolution=1280x1024, max_instance=4" },
};

/* One physical card. All that follows is under `lock`: creates are rare. */
struct card {
	unsigned int used;
	unsigned int type; /* index into offered[], while used > 0 */
};

/* One parent: the card itself, or a virtual function of it. */
struct function {
	struct mdev_parent parent;
	struct mdev_type types[ARRAY_SIZE(offered)];
	struct mdev_type *type_pointers[ARRAY_SIZE(offered)];
	struct card *card;
	struct card own;
	unsigned int used, most;
	bool registered;
};

struct vgpu {
	struct vfio_device vdev;
	struct function *function;
	atomic_t open;
	char params[64];
};

static DEFINE_MUTEX(lock);

static unsigned int left(struct function *f, unsigned int type)
{
	if (f->card->used && f->card->type != type)
		return 0;
	if (f->card->used >= instances)
		return 0;
	return min(instances - f->card->used, f->most - f->used);
}

static struct function *function_of(struct mdev_type *type)
{
	return container_of(type->parent, struct function, parent);
}

static unsigned int index_of(struct mdev_type *type)
{
	return type - function_of(type)->types;
}

/* A driver that waits for its card, as in the show() of a file. */
static int wait_for_card(struct mdev_type *type, bool description)
{
	struct pci_dev *pdev = to_pci_dev(type->parent->dev);

	while (hang && PCI_SLOT(pdev->devfn) == hang_slot && description == hang_description) {
		if (hang > 1)
			msleep(20);
		else if (msleep_interruptible(20))
			return -ERESTARTSYS;
	}
	return 0;
}

static unsigned int get_available(struct mdev_type *type)
{
	unsigned int n;

	if (wait_for_card(type, false))
		return 0;
	mutex_lock(&lock);
	n = left(function_of(type), index_of(type));
	mutex_unlock(&lock);
	return n;
}

static ssize_t show_description(struct mdev_type *type, char *buf)
{
	int rc = wait_for_card(type, true);

	if (rc)
		return rc;
	return sysfs_emit(buf, "%s\n", offered[index_of(type)].description);
}

static int vgpu_init(struct vfio_device *vdev)
{
	struct vgpu *vgpu = container_of(vdev, struct vgpu, vdev);
	struct mdev_type *type = to_mdev_device(vdev->dev)->type;
	struct function *f = function_of(type);
	int rc = 0;

	if (create_delay_ms)
		msleep(create_delay_ms);
	if (create_errno)
		return -(int)create_errno;
	mutex_lock(&lock);
	if (left(f, index_of(type))) {
		f->used++;
		f->card->used++;
		f->card->type = index_of(type);
		vgpu->function = f;
	} else {
		rc = -ENOSPC;
	}
	mutex_unlock(&lock);
	return rc;
}

static void vgpu_release(struct vfio_device *vdev)
{
	struct vgpu *vgpu = container_of(vdev, struct vgpu, vdev);

	if (vgpu->function) {
		mutex_lock(&lock);
		vgpu->function->used--;
		vgpu->function->card->used--;
		mutex_unlock(&lock);
	}
	vfio_free_device(vdev);
}

static int vgpu_open(struct vfio_device *vdev)
{
	atomic_inc(&container_of(vdev, struct vgpu, vdev)->open);
	return 0;
}

static void vgpu_close(struct vfio_device *vdev)
{
	atomic_dec(&container_of(vdev, struct vgpu, vdev)->open);
}

/* What QEMU's vfio-pci wants before it takes a device: a configuration space. There are
 * no BARs and no interrupts. */
#define REGION_SHIFT 40
#define CONFIG_SIZE 256

static u32 config_word(unsigned int offset)
{
	switch (offset) {
	case PCI_VENDOR_ID:
	case PCI_SUBSYSTEM_VENDOR_ID:
		return PCI_VENDOR_ID_NVIDIA | 0x13f2 << 16;
	case PCI_CLASS_REVISION:
		return PCI_CLASS_DISPLAY_3D << 16 | 0xa1;
	}
	return 0;
}

static ssize_t vgpu_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *at)
{
	unsigned int offset = *at & (CONFIG_SIZE - 1);
	size_t i;

	if (*at >> REGION_SHIFT != VFIO_PCI_CONFIG_REGION_INDEX || count > CONFIG_SIZE - offset)
		return -EINVAL;
	for (i = 0; i < count; i++, offset++) {
		u8 byte = config_word(offset & ~3) >> 8 * (offset & 3);

		if (put_user(byte, buf + i))
			return -EFAULT;
	}
	*at += count;
	return count;
}

static ssize_t vgpu_write(struct vfio_device *vdev, const char __user *buf, size_t count,
			  loff_t *at)
{
	*at += count;
	return count;
}

static long get_region_info(void __user *user)
{
	size_t size = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info;

	if (copy_from_user(&info, user, size))
		return -EFAULT;
	info.flags = 0;
	info.cap_offset = 0;
	info.size = 0;
	info.offset = (u64)info.index << REGION_SHIFT;
	if (info.index == VFIO_PCI_CONFIG_REGION_INDEX) {
		info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
		info.size = CONFIG_SIZE;
	}
	return copy_to_user(user, &info, size) ? -EFAULT : 0;
}

static long get_irq_info(void __user *user)
{
	size_t size = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, user, size))
		return -EFAULT;
	info.flags = 0;
	info.count = 0;
	return copy_to_user(user, &info, size) ? -EFAULT : 0;
}

static long vgpu_ioctl(struct vfio_device *vdev, unsigned int command, unsigned long argument)
{
	struct vfio_device_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = VFIO_PCI_NUM_IRQS,
	};
	void __user *user = (void __user *)argument;

	switch (command) {
	case VFIO_DEVICE_GET_INFO:
		return copy_to_user(user, &info, offsetofend(struct vfio_device_info, num_irqs)) ?
			       -EFAULT :
			       0;
	case VFIO_DEVICE_GET_REGION_INFO:
		return get_region_info(user);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return get_irq_info(user);
	case VFIO_DEVICE_RESET:
		return 0;
	}
	return -ENOTTY;
}

/* No page of the guest is ever pinned. */
static void vgpu_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
}

static const struct vfio_device_ops vgpu_ops = {
	.name = "vgpu-sample",
	.init = vgpu_init,
	.release = vgpu_release,
	.open_device = vgpu_open,
	.close_device = vgpu_close,
	.read = vgpu_read,
	.write = vgpu_write,
	.ioctl = vgpu_ioctl,
	.dma_unmap = vgpu_dma_unmap,
};

static int vgpu_probe(struct mdev_device *mdev)
{
	struct vgpu *vgpu = vfio_alloc_device(vgpu, vdev, &mdev->dev, &vgpu_ops);
	int rc;

	if (IS_ERR(vgpu))
		return PTR_ERR(vgpu);
	rc = vfio_register_emulated_iommu_dev(&vgpu->vdev);
	if (rc) {
		vfio_put_device(&vgpu->vdev);
		return rc;
	}
	dev_set_drvdata(&mdev->dev, vgpu);
	return 0;
}

static void vgpu_remove(struct mdev_device *mdev)
{
	struct vgpu *vgpu = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&vgpu->vdev);
	vfio_put_device(&vgpu->vdev);
}

/* What the vendor's driver keeps of a guest's parameters; a blank clears them. */
static ssize_t vgpu_params_show(struct device *dev, struct device_attribute *attr,
				char *buf)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", vgpu->params);
}

static ssize_t vgpu_params_store(struct device *dev, struct device_attribute *attr,
				 const char *buf, size_t count)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);

	if (atomic_read(&vgpu->open))
		return -EPERM;
	if (strscpy(vgpu->params, buf, sizeof(vgpu->params)) < 0)
		return -EINVAL;
	strim(vgpu->params);
	return count;
}
static DEVICE_ATTR_RW(vgpu_params);

static struct attribute *vgpu_attrs[] = { &dev_attr_vgpu_params.attr, NULL };
static const struct attribute_group vgpu_group = { .name = "nvidia", .attrs = vgpu_attrs };
static const struct attribute_group *vgpu_groups[] = { &vgpu_group, NULL };

static struct mdev_driver vgpu_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.probe = vgpu_probe,
	.remove = vgpu_remove,
	.get_available = get_available,
	.show_description = show_description,
	.driver = {
		.name = "nvidia_vgpu_vfio",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
		.dev_groups = vgpu_groups,
	},
};

static int card_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct function *f = devm_kzalloc(&pdev->dev, sizeof(*f), GFP_KERNEL);
	bool sriov = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_SRIOV);
	unsigned int i;

	if (!f)
		return -ENOMEM;
	pci_set_drvdata(pdev, f);
	/* A card of several functions can only be given away whole. */
	if (pdev->multifunction && !pdev->is_virtfn)
		return 0;
	f->card = &f->own;
	f->most = UINT_MAX;
	if (pdev->is_virtfn) {
		struct function *physical = pci_get_drvdata(pci_physfn(pdev));

		f->card = &physical->own;
		f->most = 1;
	} else if (sriov) {
		return 0; /* its virtual functions are the parents */
	}
	for (i = 0; i < ARRAY_SIZE(offered); i++) {
		f->types[i].sysfs_name = offered[i].suffix;
		f->types[i].pretty_name = offered[i].name;
		f->type_pointers[i] = &f->types[i];
	}
	f->registered = true;
	return mdev_register_parent(&f->parent, &pdev->dev, &vgpu_driver, f->type_pointers,
				    ARRAY_SIZE(offered));
}

static void card_remove(struct pci_dev *pdev)
{
	struct function *f = pci_get_drvdata(pdev);

	if (f->registered)
		mdev_unregister_parent(&f->parent);
	else
		pci_disable_sriov(pdev);
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ PCI_DEVICE(0x1b36, 0x0010) },
	{ 0 },
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver card_driver = {
	.name = "nvidia",
	.id_table = ids,
	.probe = card_probe,
	.remove = card_remove,
	.sriov_configure = pci_sriov_configure_simple,
};

static int __init vgpu_sample_init(void)
{
	int rc = mdev_register_driver(&vgpu_driver);

	if (rc)
		return rc;
	rc = pci_register_driver(&card_driver);
	if (rc)
		mdev_unregister_driver(&vgpu_driver);
	return rc;
}

static void __exit vgpu_sample_exit(void)
{
	pci_unregister_driver(&card_driver);
	mdev_unregister_driver(&vgpu_driver);
}

module_init(vgpu_sample_init);
module_exit(vgpu_sample_exit);
MODULE_DESCRIPTION("Emulated GPUs for vgpu-agent's tests");
MODULE_LICENSE("GPL");
