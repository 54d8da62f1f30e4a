// Keeps the pieces of all devices from multifd channels until their place on
// the main channel has come: in a file without a name, so that memory is 16
// bytes a piece.

#ifndef MIGSTREAM_CODEC_REWRITE_PIECE_STORE_H_
#define MIGSTREAM_CODEC_REWRITE_PIECE_STORE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/io/temp_file.h"
#include "codec/multifd/reassembler.h"
#include "codec/wire/error.h"

namespace migstream {

class PieceStore {
 public:
  // In the order in which a device gave them. kWriteFailed if there is no room.
  Error Add(const ReassembledPiece& piece);

  // The pieces of a device that hold data, or its config, one after the other.
  // Empty if there are none.
  size_t DataPieces(std::string_view idstr, uint32_t instance_id) const;
  // Piece `index` of those. The view is good until the next call.
  Error ReadData(std::string_view idstr, uint32_t instance_id, size_t index,
                 ByteSpan& data);
  Error ReadConfig(std::string_view idstr, uint32_t instance_id,
                   ReassembledPiece& config);
  // The place of the first piece of a device that has some.
  PacketPlace FirstPlace(std::string_view idstr, uint32_t instance_id) const;

  // All devices that have pieces.
  std::vector<std::pair<std::string, uint32_t>> Devices() const;

  bool Has(std::string_view idstr, uint32_t instance_id) const {
    return Find(idstr, instance_id) != nullptr;
  }

 private:
  struct Place {
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };
  // A PacketPlace that outlives the channel's reader.
  struct Origin {
    explicit Origin(const PacketPlace& place = {})
        : file(place.file), offset(place.offset) {}
    PacketPlace place() const { return {file, offset}; }

    std::string file;
    uint64_t offset;
  };
  struct Device {
    std::vector<Place> data;
    Place config;
    Origin first_origin;
    Origin config_origin;
  };

  const Device* Find(std::string_view idstr, uint32_t instance_id) const;
  Error Read(const Place& place, ByteSpan& bytes);

  TempFile file_;
  std::map<std::pair<std::string, uint32_t>, Device> devices_;
  std::vector<uint8_t> buffer_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_PIECE_STORE_H_
