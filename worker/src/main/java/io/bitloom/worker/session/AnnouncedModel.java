package io.bitloom.worker.session;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.WorkerModel;
import io.bitloom.worker.generate.BatchCapacity;
import io.bitloom.worker.modeldir.ModelDirectory;
import java.util.List;

/**
 * The model that a worker offers.
 *
 * @param sizes size classes that it can draw, its usual one first
 * @param defaults what a prompt that says nothing gets
 * @param blocks blocks of its transformer
 */
public record AnnouncedModel(
    String name,
    String digest,
    String description,
    List<SizeClass> sizes,
    Prompt defaults,
    int blocks,
    BatchCapacity capacity) {

  public AnnouncedModel {
    sizes = List.copyOf(sizes);
  }

  /** A model directory and what fits of it. */
  public static AnnouncedModel of(ModelDirectory directory, BatchCapacity capacity) {
    return new AnnouncedModel(
        directory.name(),
        directory.digest(),
        directory.description(),
        directory.sizes(),
        directory.defaults(),
        directory.transformer().depth(),
        capacity);
  }

  /** Whether images of this schedule can be drawn. */
  boolean draws(ScaleSchedule schedule) {
    return sizes.contains(schedule.size());
  }

  WorkerModel toMessage() {
    WorkerModel.Builder model =
        WorkerModel.newBuilder()
            .setName(name)
            .setDigest(digest)
            .setDescription(description)
            .setDefaults(defaults)
            .setBlocks(blocks);
    for (SizeClass size : sizes) {
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
