// Statistics over sessions: one JSON request a line on stdin, one answer on stdout;
// session_statistics_parity_test.py drives it.
#include "driver.hpp"
#include "mpbench/stats/mean_difference.hpp"
#include "mpbench/stats/session_statistics.hpp"
#include "mpbench/stats/speed_verdict.hpp"

namespace mpbench::parity::session_statistics_driver {
namespace {

using Values = std::vector<double>;

json interval(const Values& sessions, const json& request) {
  const auto interval = stats::session_interval(sessions, request.at("level")).value();
  const double equivalence = request.at("equivalence");
  return {{"mean", interval.mean},
          {"sd", interval.sd},
          {"sessions", interval.sessions},
          {"low", interval.low},
          {"high", interval.high},
          {"p_value", interval.p_value},
          {"within", stats::within_equivalence(interval, equivalence)},
          {"verdict", std::string(enum_name(stats::speed_verdict(interval, equivalence)))}};
}

json mean_difference(const json& request) {
  const auto change = stats::mean_difference(request.at("earlier").get<Values>(),
                                             request.at("later").get<Values>(), request.at("level"))
                          .value();
  const double equivalence = request.at("equivalence");
  return {{"difference", change.difference},
          {"degrees", change.degrees},
          {"low", change.low},
          {"high", change.high},
          {"p_value", change.p_value},
          {"within", stats::within_equivalence(change, equivalence)},
          {"verdict", std::string(enum_name(stats::speed_verdict(change, equivalence)))}};
}

json sessions_needed(const json& request) {
  const auto sessions =
      stats::sessions_needed(request.at("sd"), request.at("level"), request.at("effect"),
                             request.at("power"), request.at("most"));
  return sessions ? json(*sessions) : json();
}

json answer(const json& request) {
  const std::string what = request.at("what");
  const auto values = request.value("values", Values{});
  if (what == "hodges_lehmann") return stats::hodges_lehmann(values);
  if (what == "pocock_level") {
    return stats::pocock_level(request.at("alpha"), request.at("looks"));
  }
  if (what == "interval") return interval(values, request);
  if (what == "mean_difference") return mean_difference(request);
  if (what == "detectable_effect") {
    return stats::detectable_effect(request.at("sd"), request.at("sessions"), request.at("level"),
                                    request.at("power"));
  }
  if (what == "sessions_needed") return sessions_needed(request);
  if (what == "null") {
    const auto null = request.at("null").get<Values>();
    return {{"process_sd", stats::process_sd(null)},
            {"differs", stats::null_arm_differs(null)},
            {"noisier", stats::noisier_than_null(values, null)}};
  }
  if (what == "holm") return stats::holm_levels(values, request.at("level"));
  throw std::runtime_error("unknown request " + what);
}

}  // namespace

const Driver driver("session_statistics", answer);

}  // namespace mpbench::parity::session_statistics_driver
