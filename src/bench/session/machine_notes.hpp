#pragma once

#include <span>
#include <string>
#include <vector>

#include "mpbench/bench/block_record.hpp"
#include "mpbench/bench/session_record.hpp"

namespace mpbench::bench {

/// What disturbed the sessions of one configuration, a remark each; none where nothing did that is
/// worth a remark, or where it is not known. `blocks` are those of these sessions.
std::vector<std::string> machine_notes(std::span<const SessionRecord> sessions,
                                       std::span<const BlockRecord> blocks);

}  // namespace mpbench::bench
