"""The drivers' resume code of a kernel's source, compiled in user space: an oracle a driver.

`build(SOURCE, DRIVER, FOLDER)` makes a program in FOLDER that says what the driver makes of
payloads (oracle_main.c). SOURCE is what fetch_source.sh has put there.
"""

import os
import subprocess

from interop.kernel import cut_source

HERE = os.path.dirname(os.path.abspath(__file__))
VFIO = "drivers/vfio/pci/"
QAT = "drivers/crypto/intel/qat/qat_common/"
XE = "drivers/gpu/drm/xe/"

# The definitions that a driver's resume path is made of: the file to write, the source's files,
# and what is cut out of each; no names: all of it.
CUTS = {
    "mlx5": [
        ("mlx5_cut.h", VFIO + "mlx5/cmd.h", """
            mlx5_vf_migf_state mlx5_vf_load_state mlx5_vf_migf_header_flags
            mlx5_vf_migf_header_tag mlx5_vf_migration_header mlx5_vhca_data_buffer
            mlx5vf_async_data mlx5vf_save_work_data MAX_NUM_CHUNKS mlx5_vf_migration_file"""),
        ("mlx5_cut.h", VFIO + "mlx5/main.c", """
            MAX_LOAD_SIZE mlx5vf_append_page_to_mig_buf mlx5vf_resume_read_image
            mlx5vf_resume_read_header_data mlx5vf_resume_read_header mlx5vf_resume_write"""),
    ],
    "virtio": [
        ("virtio_cut.h", VFIO + "virtio/common.h", """
            virtiovf_migf_state virtiovf_load_state virtiovf_data_buffer
            virtiovf_migf_header_flags virtiovf_migf_header_tag virtiovf_migration_header
            virtiovf_migration_file"""),
        ("virtio_cut.h", VFIO + "virtio/migrate.c", """
            MAX_LOAD_SIZE virtiovf_append_page_to_mig_buf virtiovf_resume_read_chunk
            virtiovf_resume_read_header_data virtiovf_resume_read_header
            virtiovf_resume_write"""),
    ],
    "hisi_acc": [
        ("hisi_acc_cut_data.h", VFIO + "hisilicon/hisi_acc_vfio_pci.h", "acc_vf_data"),
        ("hisi_acc_cut.h", VFIO + "hisilicon/hisi_acc_vfio_pci.h", """
            QM_XQC_ADDR_OFFSET QM_XQC_ADDR_LOW QM_XQC_ADDR_HIGH ACC_DRV_MAJOR_VER
            ACC_DEV_MAGIC_V1 ACC_DEV_MAGIC_V2 hisi_acc_vf_migration_file"""),
        ("hisi_acc_cut.h", VFIO + "hisilicon/hisi_acc_vfio_pci.c", """
            vf_qm_version_check vf_qm_check_match vf_qm_load_data hisi_acc_vf_load_state
            hisi_acc_vf_resume_write"""),
    ],
    "qat": [
        ("qat_cut.h", QAT + "adf_mstate_mgr.h", ""),
        ("qat_cut.h", QAT + "adf_mstate_mgr.c", ""),
        ("qat_cut.h", QAT + "adf_pfvf_utils.h", "adf_vf_compat_checker"),
        ("qat_cut.h", QAT + "adf_gen4_vf_mig.c", """
            adf_vf_bank_info mig_user_sla"""),
        ("qat_cut.h", QAT + "adf_gen4_vf_mig.c", """
            adf_mstate_sla_check adf_mstate_check_cap_size adf_mstate_compatver_check
            adf_mstate_capmask_compare adf_mstate_capmask_superset adf_mstate_capmask_equal
            adf_mstate_set_vreg adf_gen4_vfmig_load_etr_regs adf_gen4_vfmig_load_etr_bank
            adf_gen4_vfmig_load_etr adf_gen4_vfmig_load_misc adf_gen4_vfmig_load_generic
            adf_gen4_vfmig_load_config adf_gen4_vfmig_load_setup
            adf_gen4_vfmig_load_state"""),
    ],
    "xe": [
        ("xe_cut.h", XE + "abi/guc_klvs_abi.h", "GUC_KLV_LEN_MIN GUC_KLV_0_KEY GUC_KLV_0_LEN"),
        ("xe_cut.h", XE + "abi/xe_driver_klvs_abi.h", """
            MIGRATION_KLV_DEVICE_DEVID_KEY MIGRATION_KLV_DEVICE_REVID_KEY"""),
        ("xe_cut.h", XE + "xe_sriov_packet_types.h", """
            xe_sriov_packet_type xe_sriov_packet_hdr xe_sriov_packet"""),
        ("xe_cut.h", XE + "xe_guc_klv_helpers.c", "xe_guc_klv_count xe_guc_klv_parser"),
        ("xe_cut.h", XE + "xe_sriov_packet.c", """
            pkt_needs_bo xe_sriov_packet_alloc xe_sriov_packet_free pkt_init
            XE_SRIOV_PACKET_SUPPORTED_VERSION xe_sriov_packet_init_from_hdr pkt_hdr_write
            pkt_data_write xe_sriov_packet_write_single descriptor_decoder
            xe_sriov_packet_process_descriptor"""),
        ("xe_cut.h", XE + "xe_sriov_pf_migration.c", """
            pf_handle_descriptor pf_handle_trailer xe_sriov_pf_migration_restore_produce"""),
        ("xe_cut.h", XE + "xe_gt_sriov_pf_migration.c", "pf_migration_mmio_restore"),
    ],
}


# What older releases have otherwise: the oracle's structs are of these.
NEEDED = {
    "mlx5": (VFIO + "mlx5/cmd.h", "**page_list;\n\tstruct dma_iova_state state;\n\tloff_t start_pos;"),
    "hisi_acc": (
        VFIO + "hisilicon/hisi_acc_vfio_pci.h",
        "struct hisi_acc_vf_core_device *hisi_acc_vdev;",
    ),
}


def has(source, driver):
    """Whether all that is cut is there, and as its oracle knows it."""
    for _, path, names in CUTS[driver]:
        path = os.path.join(source, path)
        if not os.path.exists(path):
            return False
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if any(cut_source.definition(text, name) is None for name in names.split()):
            return False
        needed, line = NEEDED.get(driver, ("", ""))
        if path.endswith(needed or path) and line not in text:
            return False
    return True


def build(source, driver, folder):
    """The oracle's path."""
    for name, path, names in CUTS[driver]:
        with open(os.path.join(folder, name), "a", encoding="utf-8") as file:
            file.write(cut_source.cut(os.path.join(source, path), names.split()))
    program = os.path.join(folder, driver + "_oracle")
    # The kernel has its own ideas of warnings, signs and aliases.
    command = ["gcc", "-std=gnu11", "-O1", "-fno-strict-aliasing", "-w", "-D_GNU_SOURCE"]
    sources = [os.path.join(HERE, driver + "_oracle.c"), os.path.join(HERE, "oracle_main.c")]
    subprocess.run(
        command + ["-I" + HERE, "-I" + folder, "-o", program, *sources], check=True
    )
    return program
