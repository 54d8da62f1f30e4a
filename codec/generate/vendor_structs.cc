#include "absl/status/status.h"
#include "codec/generate/vendor_payload.h"
#include "codec/payload/hisi_acc.h"
#include "codec/payload/mtty.h"
#include "codec/payload/pds.h"
#include "codec/payload/qat.h"
#include "codec/wire/text.h"

namespace migstream {

absl::Status VendorMaker::Make(const recipe::HisiAcc& recipe) const {
  constexpr uint64_t kMagicV1 = 0xcdcdcdcdfeedaacc;
  constexpr uint64_t kMagicV2 = 0xaaccfeeddecadede;
  if (recipe.qp_num() > 1024) {
    return absl::InvalidArgumentError("a hisi_acc VF has 1024 queues at most");
  }
  out.id = {0x19e5, 0xa251};
  PayloadEncoder encoder(*kHisiAccFormat.root);
  // In pre-copy the state is not known yet.
  bool says_so = recipe.not_ready() && !pre_copy;
  encoder.Fields("match", {{"acc_magic", recipe.v1() ? kMagicV1 : kMagicV2},
                           {"qp_num", Or(recipe.qp_num(), 16)},
                           {"dev_id", out.id.device},
                           {"que_iso_cfg", 0x1f},
                           {"qp_base", 32},
                           {"vf_qm_state", says_so},
                           {"major_ver", recipe.v1() ? 0u : 1u}});
  PreCopyTo(encoder);
  if (!recipe.not_ready()) {
    auto address = [this] {
      return uint64_t{1} << 32 | (1 + random.Below(0xfffff)) << 12;
    };
    PayloadEncoder::Values values = {
        {"eq_int_mask", 1}, {"ifc_int_mask", 0xf}, {"page_size", 0}};
    constexpr struct {
      std::string_view name, context;
    } kQueues[] = {{"eqe_dma", "qm_eqc_dw"}, {"aeqe_dma", "qm_aeqc_dw"}};
    for (const auto& queue : kQueues) {
      // The address is in words 1 and 2. V1 took it from 0 and 1.
      uint64_t context = address(), head = random.Below(1024);
      values.push_back({queue.context, head, 0});
      values.push_back({queue.context, context & 0xffffffff, 1});
      values.push_back({queue.context, context >> 32, 2});
      values.push_back({queue.name, recipe.v1()
                                        ? (context & 0xffffffff) << 32 | head
                                        : context});
    }
    values.push_back({"sqc_dma", address()});
    values.push_back({"cqc_dma", address()});
    encoder.Fields("regs", values);
  }
  out.bytes = encoder.Take();
  return absl::OkStatus();
}

absl::Status VendorMaker::Make(const recipe::Pds& recipe) const {
  constexpr uint64_t kMost = 65536;
  const uint64_t bytes = Or(recipe.bytes(), 20480);
  if (bytes > kMost || bytes % 4 != 0) {
    return absl::InvalidArgumentError(
        "pds writes whole 32-bit words, 65536 bytes at the most");
  }
  if (absl::Status status = Claim(1, bytes); !status.ok()) return status;
  out.id = {0x1dd8, 0x1003};
  out.bytes = random.Bytes(bytes);
  out.bytes[0] |= 1;  // Firmware wrote something.
  return absl::OkStatus();
}

absl::Status VendorMaker::Make(const recipe::Qat& recipe) const {
  constexpr uint64_t kMagic = 0xadf5caea, kAllBytes = 4096;
  constexpr uint64_t kMaxSlas = 4, kSlaBytes = 24;
  if (recipe.slas() > kMaxSlas) {
    return absl::InvalidArgumentError("a QAT VF has four SLAs at most");
  }
  if (absl::Status status = Claim(1, kAllBytes); !status.ok()) return status;
  out.id = {0x8086, 0x4941};
  const PayloadEncoder::Values preamble = {
      {"magic", kMagic}, {"version", 1}, {"preh_len", 16}};
  PayloadEncoder encoder(*kQatFormat.root);
  encoder.Begin("setup", preamble);
  encoder.Begin("CONFIG");
  encoder.Fields("gencap", {{"gencap", 0x0c3ff0ff}});
  encoder.Fields("svcmap", {{"svcmap", 0x0924}});
  encoder.Fields("extdc", {});
  encoder.End();
  encoder.End();
  PreCopyTo(encoder);
  encoder.Begin("state", preamble);
  encoder.Begin("GENER");
  encoder.Fields("iovinit", {{"iovinit", 1}});
  encoder.Fields("compver", {{"compver", 4}});
  std::vector<std::string> names;
  for (uint32_t i = 0; i < recipe.slas(); ++i) {
    for (std::string_view field : {"service", "rp_mask", "cir", "pir"}) {
      names.push_back(StrCat("sla", i, "_", field));
    }
  }
  PayloadEncoder::Values slas;
  for (uint32_t i = 0; i < recipe.slas(); ++i) {
    const std::string* name = &names[size_t{4} * i];
    slas.push_back({name[0], i % 3});
    slas.push_back({name[1], 0xf0});
    slas.push_back({name[2], 100});
    slas.push_back({name[3], 200});
  }
  encoder.Fields("sla", slas, {}, kSlaBytes * recipe.slas());
  encoder.End();
  encoder.Begin("MISCBAR");
  for (std::string_view name :
       {"visrc", "vimsk", "vispv", "vimpv", "pf2vm", "vm2pf"}) {
    encoder.Fields(name, {{"value", random.Below(1 << 16)}});
  }
  encoder.End();
  encoder.Begin("ETRBAR");
  for (std::string_view bank : {"bnk0", "bnk1", "bnk2", "bnk3"}) {
    encoder.Begin(bank);
    encoder.Fields("mregs", {{"ringestat", 0xffff}, {"ringsrvarben", 0}});
    encoder.End();
  }
  encoder.End();
  encoder.End();
  encoder.Opaque("zero fill", std::string(kAllBytes - encoder.size(), '\0'));
  out.bytes = encoder.Take();
  return absl::OkStatus();
}

absl::Status VendorMaker::Make(const recipe::Mtty& recipe) const {
  constexpr uint64_t kMagic = 0x7e9d09898c3e2c4e, kFifo = 16;
  const uint64_t ports = Or(recipe.ports(), 2);
  if (ports > 2) {
    return absl::InvalidArgumentError("mtty has one port or two");
  }
  out.id = {0x4348, 0x3253};
  PayloadEncoder encoder(*kMttyFormat.root);
  encoder.Fields("header",
                 {{"magic", kMagic}, {"major_ver", 1}, {"nr_ports", ports}});
  PreCopyTo(encoder);
  for (uint64_t i = 0; i < ports; ++i) {
    const std::string registers = random.Bytes(8), fifo = random.Bytes(kFifo);
    uint64_t tail = random.Below(kFifo), count = random.Below(kFifo);
    encoder.Fields(i == 0 ? "port0" : "port1",
                   {{"uart_reg", 0, 0, registers},
                    {"fifo", 0, 0, fifo},
                    {"head", (tail + count) % kFifo},
                    {"tail", tail},
                    {"count", count},
                    {"divisor", 12},
                    {"fcr", 0xc1},
                    {"max_fifo_size", kFifo},
                    {"intr_trigger_level", 1}});
  }
  out.bytes = encoder.Take();
  return absl::OkStatus();
}

}  // namespace migstream
