package io.bitloom.coordinator.http;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.coordinator.dispatch.WorkerView;
import io.bitloom.coordinator.queue.BucketBacklog;
import java.util.List;

/** The state of queue and workers as JSON. */
final class ClusterView {

  private ClusterView() {}

  static JsonObject of(List<BucketBacklog> backlog, List<WorkerView> workers) {
    JsonArray buckets = new JsonArray();
    backlog.stream().filter(ClusterView::inUse).map(ClusterView::bucket).forEach(buckets::add);
    JsonArray shown = new JsonArray();
    workers.stream().map(ClusterView::worker).forEach(shown::add);
    JsonObject cluster = new JsonObject();
    cluster.add("buckets", buckets);
    cluster.add("workers", shown);
    return cluster;
  }

  private static boolean inUse(BucketBacklog bucket) {
    return bucket.prompts() + bucket.retries() + bucket.leased() > 0;
  }

  private static JsonObject bucket(BucketBacklog bucket) {
    JsonObject json = new JsonObject();
    json.addProperty("model", bucket.bucket().model());
    addSchedule(json, bucket.bucket().schedule());
    json.addProperty("prompts", bucket.prompts());
    json.addProperty("images", bucket.images());
    json.addProperty("retries", bucket.retries());
    json.addProperty("leased", bucket.leased());
    json.addProperty("oldest_seconds", bucket.oldest().toSeconds());
    return json;
  }

  /** A schedule by its id, and by the name that people read. */
  private static void addSchedule(JsonObject json, String id) {
    json.addProperty("schedule", id);
    ScaleSchedules.find(id)
        .ifPresent(
            schedule -> {
              json.addProperty("shape", schedule.shape());
              json.addProperty("size", schedule.size().label());
            });
  }

  private static JsonObject worker(WorkerView worker) {
    JsonArray models = new JsonArray();
    worker.models().forEach(models::add);
    JsonArray leases = new JsonArray();
    worker.leases().stream().map(ClusterView::lease).forEach(leases::add);
    JsonObject json = new JsonObject();
    json.addProperty("id", worker.id());
    json.addProperty("version", worker.version());
    json.addProperty("device", worker.device());
    json.add("models", models);
    json.addProperty("connected", worker.connected());
    json.addProperty("since", worker.since().toString());
    json.addProperty("images_done", worker.imagesDone());
    json.add("leases", leases);
    return json;
  }

  private static JsonObject lease(WorkerView.LeaseView lease) {
    JsonObject json = new JsonObject();
    json.addProperty("model", lease.model());
    addSchedule(json, lease.schedule());
    json.addProperty("prompts", lease.prompts());
    json.addProperty("scales_done", lease.scalesDone());
    json.addProperty("scales", lease.scales());
    return json;
  }
}
