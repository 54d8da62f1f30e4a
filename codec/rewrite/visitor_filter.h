// A step of rewriting a stream: a visitor that passes on what it gets, and
// changes some of it on the way.
//
//   StreamReader → filter → filter → … → DescribedWriter
//
// A filter that cannot do its work safely says so in error(), once; what it
// passes on after that is of no use.

#ifndef MIGSTREAM_CODEC_REWRITE_VISITOR_FILTER_H_
#define MIGSTREAM_CODEC_REWRITE_VISITOR_FILTER_H_

#include <utility>

#include "codec/qemu/forwarding_visitor.h"
#include "codec/wire/error.h"

namespace migstream {

class VisitorFilter : public ForwardingVisitor {
 public:
  using ForwardingVisitor::ForwardingVisitor;

  // Nothing more will come: what must have been there by now?
  virtual void Finish() {}

  const Error& error() const { return error_; }

 protected:
  // Keeps the first error.
  void Fail(Error error) {
    if (error_.ok()) error_ = std::move(error);
  }

 private:
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_VISITOR_FILTER_H_
