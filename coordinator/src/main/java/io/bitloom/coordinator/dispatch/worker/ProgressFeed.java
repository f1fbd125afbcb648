package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.LeasedTask;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.BatchProgress;
import io.bitloom.v1.LeaseWatch;
import io.bitloom.v1.Preview;
import io.bitloom.v1.PromptPreview;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/**
 * Brings what workers say of the batches that they draw to those who watch their jobs. Workers are
 * asked to say more only if somebody watches.
 */
public final class ProgressFeed {

  /** Who watches a job. Called in the dispatch loop, so it must not block. */
  public interface Watcher {
    /** Longer side of the previews that are wanted; 0: none. */
    int previewPixels();

    void progress(BatchProgress progress);

    void preview(PromptPreview preview);
  }

  private final Map<String, List<Watcher>> watchers = new ConcurrentHashMap<>();

  /** Tells a watcher what happens to the prompts of a job, until the subscription is closed. */
  public Subscription watch(String jobId, Watcher watcher) {
    watchers.computeIfAbsent(jobId, id -> new CopyOnWriteArrayList<>()).add(watcher);
    return () ->
        watchers.computeIfPresent(
            jobId,
            (id, all) -> {
              all.remove(watcher);
              return all.isEmpty() ? null : all;
            });
  }

  /** What a worker is to show of a batch. */
  Optional<LeaseWatch> wanted(LeasedBatch batch) {
    LeaseWatch.Builder wanted = LeaseWatch.newBuilder();
    for (LeasedTask task : batch.tasks()) {
      List<Watcher> ofJob = watchers.getOrDefault(task.task().jobId(), List.of());
      if (ofJob.isEmpty()) {
        continue;
      }
      wanted.setEveryScale(true);
      int pixels = ofJob.stream().mapToInt(Watcher::previewPixels).max().orElse(0);
      if (pixels > 0) {
        wanted.setPreviewPixels(Math.max(pixels, wanted.getPreviewPixels()));
        wanted.addPreviewTasks(WorkerMessages.ref(task.task()));
      }
    }
    if (wanted.getPreviewTasksCount() == batch.tasks().size()) {
      wanted.clearPreviewTasks();
    }
    return wanted.getEveryScale() ? Optional.of(wanted.build()) : Optional.empty();
  }

  void progress(String worker, OpenLease lease) {
    if (watchers.isEmpty()) {
      return;
    }
    Map<String, List<Long>> offsets =
        lease.openTasks().stream()
            .collect(
                Collectors.groupingBy(
                    TaskRef::jobId, Collectors.mapping(TaskRef::offset, Collectors.toList())));
    offsets.forEach(
        (jobId, ofJob) -> {
          BatchProgress progress =
              BatchProgress.newBuilder()
                  .setWorker(worker)
                  .setSchedule(lease.ref().bucket().schedule())
                  .setScale(lease.scalesDone())
                  .setScales(lease.scales())
                  .addAllOffsets(ofJob)
                  .build();
          watchers.getOrDefault(jobId, List.of()).forEach(watcher -> watcher.progress(progress));
        });
  }

  void preview(Preview preview) {
    String jobId = JobNames.id("job", preview.getTask().getJob());
    List<Watcher> ofJob = watchers.getOrDefault(jobId, List.of());
    if (ofJob.isEmpty()) {
      return;
    }
    PromptPreview shown =
        PromptPreview.newBuilder()
            .setOffset(preview.getTask().getOffset())
            .setIndex(preview.getIndex())
            .setScale(preview.getScale())
            .setScales(preview.getScales())
            .setWidth(preview.getWidth())
            .setHeight(preview.getHeight())
            .setJpeg(preview.getJpeg())
            .build();
    for (Watcher watcher : ofJob) {
      if (watcher.previewPixels() > 0) {
        watcher.preview(shown);
      }
    }
  }
}
