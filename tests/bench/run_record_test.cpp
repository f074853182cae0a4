#include "mpbench/bench/run_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "mpbench/core/error.hpp"

namespace mpbench::bench {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

template <class Record>
std::string names() {
  std::string text;
  const Record record;
  visit_columns(record, [&](const char* name, const auto&) {
    text += (text.empty() ? "" : ",") + std::string(name);
  });
  return text;
}

// The columns that scripts rely on, in their order: a rename or a swap breaks other people's work.
TEST(RunRecordTest, KeepsTheContractsColumns) {
  EXPECT_THAT(
      names<RunRecord>(),
      StartsWith(
          "run_id,status,error,precision,model,dataset,n_train,n_val,image_size,batch_size,epochs,"
          "steps,channels_last,seed,repeat,device,device_name,threads,parameters,"
          "time_to_first_step_s,train_time_s,step_ms_median,step_ms_mad,images_per_s,"
          "data_wait_fraction,peak_device_bytes,peak_rss_bytes,cpu_time_s,energy_j,train_loss,"
          "val_loss,val_accuracy,val_auc,val_pf1,skipped_steps,final_loss_scale,torch_version,"
          "cuda_version,cudnn_version,git_commit,config_hash,"));
  EXPECT_EQ(names<EpochRecord>(),
            "run_id,epoch,train_loss,train_accuracy,val_loss,val_accuracy,val_auc,lr,loss_scale,"
            "skipped_steps,epoch_time_s,images_per_s");
}

RunRecord full_record() {
  RunRecord record;
  record.run_id = "cnn-b32-i124-cl-s0-bf16-r2";
  record.status = RunStatus::diverged;
  record.error = "loss is nan, \"at once\"\nsecond line";
  record.channels_last = true;
  record.seed = std::numeric_limits<std::uint64_t>::max();
  record.repeat = 2;
  record.steps = std::int64_t{1} << 62;
  record.images_per_s = 0.1 + 0.2;
  record.train_loss = std::numeric_limits<double>::quiet_NaN();
  record.val_loss = -std::numeric_limits<double>::infinity();
  record.started_at = "2026-01-31T12:34:56Z";
  return record;
}

TEST(RunRecordTest, SurvivesJsonText) {
  const RunRecord record = full_record();
  const std::string text = to_json(record).dump();
  const RunRecord back = run_record_from_json(nlohmann::json::parse(text));
  EXPECT_EQ(to_json(back).dump(), text);
  EXPECT_EQ(back.status, RunStatus::diverged);
  EXPECT_EQ(back.error, record.error);
  EXPECT_EQ(back.seed, record.seed);
  EXPECT_EQ(back.steps, record.steps);
  EXPECT_EQ(back.images_per_s, record.images_per_s);
  EXPECT_TRUE(std::isnan(back.train_loss.value()));
  EXPECT_EQ(back.val_loss, record.val_loss);
  EXPECT_EQ(back.val_auc, std::nullopt);
}

TEST(RunRecordTest, NamesTheColumnThatIsWrong) {
  const auto message = [](const char* column, nlohmann::json value) {
    nlohmann::json object = to_json(full_record());
    object[column] = std::move(value);
    try {
      run_record_from_json(object);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(message("steps", "many"), HasSubstr("steps"));
  EXPECT_THAT(message("steps", 1.5), HasSubstr("steps"));
  EXPECT_THAT(message("steps", std::numeric_limits<std::uint64_t>::max()), HasSubstr("steps"));
  EXPECT_THAT(message("seed", -1), HasSubstr("seed"));
  EXPECT_THAT(message("channels_last", 1), HasSubstr("channels_last"));
  EXPECT_THAT(message("val_auc", "high"), HasSubstr("val_auc"));
  EXPECT_THAT(message("status", "fine"), HasSubstr("'fine' is no run status"));
  EXPECT_THAT(message("model", nullptr), HasSubstr("model"));
  nlohmann::json lacking = to_json(full_record());
  lacking.erase("note");
  EXPECT_THROW(run_record_from_json(lacking), Error);
  EXPECT_THROW(run_record_from_json(nlohmann::json::array()), Error);
}

TEST(RunRecordTest, EpochsSurviveJson) {
  EpochRecord record;
  record.run_id = "a";
  record.epoch = 3;
  record.lr = 1e-4;
  const EpochRecord back = epoch_record_from_json(to_json(record));
  EXPECT_EQ(back.run_id, "a");
  EXPECT_EQ(back.epoch, 3);
  EXPECT_EQ(back.lr, 1e-4);
  EXPECT_EQ(back.val_auc, std::nullopt);
}

TEST(RunStatusTest, NamesRoundTrip) {
  for (const auto status : {RunStatus::ok, RunStatus::oom, RunStatus::diverged, RunStatus::failed,
                            RunStatus::interrupted}) {
    EXPECT_EQ(parse_run_status(to_string(status)), status);
  }
  EXPECT_THROW(parse_run_status("OK"), Error);
}

}  // namespace
}  // namespace mpbench::bench
