// The damages of damage.h's table, each by its own function: it finds its place
// by the stream's marks, changes the bytes and marks what it did. NOT_FOUND
// says what is not there to be damaged.

#ifndef MIGSTREAM_CODEC_GENERATE_DAMAGES_H_
#define MIGSTREAM_CODEC_GENERATE_DAMAGES_H_

#include "absl/status/status.h"
#include "codec/generate/generated.h"

namespace migstream {

using DoDamage = absl::Status(Generated& stream, DoneDamage& done);

// To a device's sections: device_damage.cc.
DoDamage BadTag;
DoDamage SetupEos;
DoDamage ConfigEos;
DoDamage SizePlus1;
DoDamage DropRecord;
DoDamage SwapRecords;
DoDamage MergeRecords;
DoDamage SplitRecord;
DoDamage EmptyRecord;
DoDamage FlipPayload;
DoDamage InitDataSent;
DoDamage LoadReady;
DoDamage ConfigInEnd;
DoDamage Truncate;

// To a config payload: config_damage.cc.
DoDamage VendorId;
DoDamage CommandRegister;
DoDamage IrqState;
DoDamage MsixSpells;
DoDamage UnknownSubsection;

// To the enclosing stream: stream_damage.cc.
DoDamage BadMagic;
DoDamage OldVersion;
DoDamage FooterId;
DoDamage DropFooter;
DoDamage VersionId;
DoDamage SectionId;
DoDamage SetSectionType;

// To a device's packets on multifd channels: packet_damage.cc.
DoDamage DropPacket;
DoDamage RepeatPacket;
DoDamage PacketVersion;
DoDamage PacketDevice;
DoDamage ShortPacket;
DoDamage PacketEos;
DoDamage FlipPacket;

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_DAMAGES_H_
