#include "mpbench/bench/run_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpbench/core/error.hpp"
#include "mpbench/io/csv_cell.hpp"

namespace mpbench::bench {
namespace {

using testing::StartsWith;

template <class Record>
std::string names() {
  std::string text;
  const Record record;
  visit_columns(record, [&](const char* name, const auto&) {
    if (!text.empty()) text += ',';
    text += name;
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

TEST(RunStatusTest, NamesRoundTrip) {
  for (const auto status : {RunStatus::ok, RunStatus::oom, RunStatus::diverged, RunStatus::failed,
                            RunStatus::interrupted}) {
    EXPECT_EQ(find_enum<RunStatus>(enum_name(status)), status);
  }
  RunStatus status{};
  EXPECT_THROW(csv::parse_cell("OK", status), Error);
}

}  // namespace
}  // namespace mpbench::bench
