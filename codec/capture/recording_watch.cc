#include "codec/capture/recording_watch.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "codec/io/open_file.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

// The first of a TLS connection's records.
constexpr uint8_t kTlsHandshake = 0x16;

// "vm.ch2.qvm" of "vm", "ch", 2.
std::string Numbered(const std::string& name, std::string_view what, int number,
                     std::string_view ending = "") {
  return StrCat(name, ".", what, number, ending);
}

}  // namespace

void RecordingWatch::Start(Recorder& recorder, std::string return_path,
                           std::function<void()> break_all) {
  recorder_ = &recorder;
  return_path_ = std::move(return_path);
  break_all_ = std::move(break_all);
}

RecordingWatch::Opened RecordingWatch::Add(std::unique_ptr<File> file) {
  Opened opened;
  opened.path = file->path;
  opened.file = recorder_->Create(file->path);
  files_.push_back(std::move(file));
  return opened;
}

RecordingWatch::Opened RecordingWatch::Open(const std::string& name,
                                            ByteSpan magic, int fd) {
  std::lock_guard lock(mutex_);
  auto file = std::make_unique<File>();
  const uint32_t number = magic.size() < 4 ? 0 : LoadBe32(magic.data());
  std::string what;
  if (number == kStreamMagic) {
    // A source that tries again makes another set.
    file->path = ++mains_ == 1 ? StrCat(name, ".qvm")
                               : Numbered(name, "again", mains_, ".qvm");
    file->kind = Kind::kMain;
    file->fd = fd;
    what = "the main channel";
  } else if (number == kMultifdMagic) {
    file->path = Numbered(name, "ch", ++channels_, ".qvm");
    file->kind = Kind::kChannel;
    what = "a multifd channel";
  } else if (number == kCprMagic) {
    file->path = StrCat(name, ".cpr");
    what = "CPR state";
  } else if (magic[0] == kTlsHandshake) {
    file->path = Numbered(name, "tls", ++others_);
    what = "TLS: it is kept, and cannot be looked into";
  } else {
    file->path = others_ == 0 ? StrCat(name, ".preempt")
                              : Numbered(name, "other", others_);
    ++others_;
    what = "no magic: a postcopy-preempt channel, perhaps";
  }
  log_.Say(StrCat(file->path, ": ", what));
  return Add(std::move(file));
}

RecordingWatch::Opened RecordingWatch::OpenBack(const std::string& forward) {
  std::lock_guard lock(mutex_);
  auto file = std::make_unique<File>();
  const bool numbered =
      forward.find(".again") != std::string::npos || !forward.ends_with(".qvm");
  const bool of_main = !numbered && forward.find(".ch") == std::string::npos;
  file->path = of_main ? return_path_ : StrCat(forward, ".return");
  file->kind = of_main ? Kind::kReturn : Kind::kOther;
  return Add(std::move(file));
}

RecordingWatch::File& RecordingWatch::At(int file) {
  std::lock_guard lock(mutex_);
  return *files_[static_cast<size_t>(file)];
}

std::vector<std::string> RecordingWatch::files(bool* has_main) const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  *has_main = false;
  for (const auto& file : files_) {
    if (file->bytes == 0) continue;
    if (file->kind == Kind::kMain && !*has_main) {
      *has_main = true;
      names.insert(names.begin(), file->path);
    } else {
      names.push_back(file->path);
    }
  }
  return names;
}

void RecordingWatch::Tell(File& file, const Error& error) {
  if (error.ok() || std::exchange(file.told, true)) return;
  log_.Say(ErrorLine(file.path, error));
}

void RecordingWatch::OnRecorded(int number, ByteSpan bytes) {
  File& file = At(number);
  file.bytes += bytes.size();
  switch (file.kind) {
    case Kind::kMain:
      WatchMain(file, bytes);
      break;
    case Kind::kChannel:
      if (!file.channel) {
        file.channel = std::make_unique<ChannelWatch>(
            file.path, main_ == nullptr ? 4096 : main_->main->page_bytes(),
            counts_);
      }
      file.channel->Feed(bytes);
      Tell(file, file.channel->error());
      break;
    case Kind::kReturn:
      if (!answers_) WatchBack(file, bytes);
      break;
    case Kind::kOther:
      break;
  }
}

void RecordingWatch::WatchMain(File& file, ByteSpan bytes) {
  if (!file.main) {
    main_ = &file;
    file.main = std::make_unique<MainWatch>(MainWatch::Listener{
        .on_command = [this](const CommandView& c) { OnCommand(c); },
        .on_init_data_sent =
            [this](uint64_t, bool all) {
              const bool once =
                  HasSwitchoverAckLegacy(main_->main->machine_type());
              if (once && (!all || std::exchange(acked_, true))) return;
              Answer({.type = ReturnMessage::kSwitchoverAck});
            },
        .on_finding =
            [this, &file](const Finding& finding) {
              if (finding.severity == Severity::kNote) return;
              log_.Say(StrCat(file.path, ":", Hex(finding.offset), ": ",
                              finding.section, ": ", finding.message));
            },
        .on_stopped =
            [this, &file](uint64_t offset) {
              log_.Say(StrCat(file.path, ":", Hex(offset),
                              ": switchover: the guest is stopped"));
            },
    });
  }
  file.main->Feed(bytes);
  // What a guess led to may be the guess's fault.
  if (!file.main->has_guessed()) {
    Tell(file, file.main->error());
    if (answers_ && !file.main->error().ok()) {
      Refuse("it cannot be followed to its end");
    }
  }
}

void RecordingWatch::WatchBack(File& file, ByteSpan bytes) {
  if (!file.back.error().ok()) return;
  file.held.append(AsText(bytes));
  ByteSpan input = AsBytes(file.held);
  ReturnPathMessage message;
  while (file.back.Next(input, message) == Step::kEvent) {
    if (message.type == ReturnMessage::kShut && message.value != 0) {
      log_.Say(
          StrCat(file.path, ":", Hex(message.offset),
                 ": the destination says that it failed: ", ToString(message)));
    }
  }
  Tell(file, file.back.error());
  file.held.erase(0, file.held.size() - input.size());
}

void RecordingWatch::OnCommand(const CommandView& command) {
  if (!answers_) return;
  switch (command.command) {
    case Command::kOpenReturnPath:
      return_path_open_ = true;
      break;
    case Command::kPing:
      if (command.data.size() != 4) break;
      Answer({.type = ReturnMessage::kPong,
              .value = LoadBe32(command.data.data())});
      break;
    case Command::kPostcopyAdvise:
    case Command::kPostcopyListen:
    case Command::kPostcopyRun:
    case Command::kPostcopyRamDiscard:
    case Command::kPackaged:
    case Command::kPostcopyResume:
    case Command::kRecvBitmap:
      Refuse(
          "the source may go on in postcopy, which only a destination that "
          "runs the guest can take: turn that off, or use --forward");
      break;
    case Command::kEnableColo:
      Refuse("COLO has no end that could be captured: use --forward");
      break;
    case Command::kSwitchoverStart:
      break;
  }
}

void RecordingWatch::Answer(const ReturnPathMessage& message) {
  if (!answers_ || !return_path_open_ || main_ == nullptr || main_->fd < 0) {
    return;
  }
  std::array<uint8_t, ReturnPathEncoder::kMinHeaderBytes> headers;
  std::array<iovec, ReturnPathEncoder::kMinPieces> pieces;
  ReturnPathEncoder encoder(headers, pieces);
  encoder.Send(message);
  std::vector<uint8_t> bytes;
  for (const iovec& piece : encoder.pieces()) {
    const auto* data = static_cast<const uint8_t*>(piece.iov_base);
    bytes.insert(bytes.end(), data, data + piece.iov_len);
  }
  if (answer_file_ < 0) {
    std::lock_guard lock(mutex_);
    auto file = std::make_unique<File>();
    file->kind = Kind::kReturn;
    file->path = return_path_;
    answer_file_ = Add(std::move(file)).file;
  }
  recorder_->WriteNow(answer_file_, bytes);
  // A source has a thread that reads them. One that does not must not hold up
  // the recording.
  const ssize_t sent =
      send(main_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent == static_cast<ssize_t>(bytes.size())) return;
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return;  // Is gone.
  main_->fd = -1;
  Refuse("the source does not read its answers");
}

void RecordingWatch::OnFileEnd(int number) {
  File& file = At(number);
  file.ended = true;
  // Its descriptor may soon be another's.
  file.fd = -1;
  if (&file != main_ || !answers_) return;
  return_path_open_ = false;
}

bool RecordingWatch::IsWhole() const {
  if (main_ == nullptr || !main_->main->is_done()) return false;
  for (const auto& [idstr, device] : main_->main->devices()) {
    auto count = counts_.find(idstr);
    if (device.in_channels && count != counts_.end() &&
        !count->second.whole()) {
      return false;
    }
    if (device.in_channels && count == counts_.end() && channels_ != 0) {
      return false;
    }
  }
  return std::all_of(files_.begin(), files_.end(), [](const auto& file) {
    return !file->channel || file->channel->at_boundary();
  });
}

bool RecordingWatch::IsWholeOnDisk() const {
  auto opened = OpenFile(main_->path);
  if (!opened.ok()) return false;
  StreamVisitor ignoring;
  StreamReader reader(**opened, ignoring);
  return reader.Read().ok();
}

void RecordingWatch::OnIdle() {
  if (!answers_ || answered_end_ || main_ == nullptr) return;
  main_->main->Quiet();
  bool whole = false;
  {
    std::lock_guard lock(mutex_);
    whole = IsWhole();
  }
  // A guess was wrong; the description tells, once it is there.
  if (!whole && !main_->main->error().ok() &&
      std::exchange(looked_at_, main_->bytes) != main_->bytes) {
    whole = IsWholeOnDisk();
  }
  if (!whole || main_->ended) return;
  answered_end_ = true;
  if (!recorder_->Sync()) return Refuse("it does not get to the disk");
  log_.Say(StrCat(main_->path, ": all ", main_->bytes,
                  " bytes of it are on the disk"));
  if (return_path_open_) {
    Answer({.type = ReturnMessage::kShut, .value = 0});
  }
}

void RecordingWatch::OnLost(const std::string& why) {
  if (answers_) return Refuse(why);
  log_.Lose(StrCat(why, "; the recording is over, the migration goes on"));
}

void RecordingWatch::OnTooSlow(uint64_t waiting_bytes) {
  log_.Lose(StrCat("the disk is too slow, ", waiting_bytes >> 20,
                   " MiB wait for it; the recording is over, the migration "
                   "goes on"));
}

void RecordingWatch::Refuse(const std::string& why) {
  if (std::exchange(answered_end_, true)) return;
  log_.Lose(StrCat(why, "; the source is told that it failed"));
  if (main_ != nullptr && return_path_open_ && main_->fd >= 0) {
    Answer({.type = ReturnMessage::kShut, .value = 1});
  }
  break_all_();
}

}  // namespace migstream
