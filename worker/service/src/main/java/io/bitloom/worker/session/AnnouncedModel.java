package io.bitloom.worker.session;

import io.bitloom.common.prompt.PromptMessages;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.BatchCapacity;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.WorkerModel;

/**
 * What a worker says of a model and of what fits into a batch.
 *
 * @param name by which coordinators know it
 */
record AnnouncedModel(String name, ModelDirectory directory, BatchCapacity capacity) {

  WorkerModel toMessage() {
    WorkerModel.Builder model =
        WorkerModel.newBuilder()
            .setName(name)
            .setDigest(directory.digest())
            .setDescription(directory.description())
            .setDefaults(PromptMessages.message(directory.defaults()))
            .setBlocks(directory.transformer().depth());
    for (SizeClass size : directory.sizes()) {
      model.addSizes(size.label());
      for (ScaleSchedule schedule : ScaleSchedules.of(size)) {
        model.addCapacities(capacity(schedule));
      }
    }
    return model.build();
  }

  ScheduleCapacity capacity(ScaleSchedule schedule) {
    return ScheduleCapacity.newBuilder()
        .setSchedule(schedule.id())
        .setMaxImages(capacity.maxImages(schedule))
        .setWarm(capacity.isWarm(schedule))
        .build();
  }
}
